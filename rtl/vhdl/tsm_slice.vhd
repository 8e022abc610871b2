-- A register with valid/ready on both sides, as rtl/stream/tsm_slice.sv.
library ieee;
use ieee.std_logic_1164.all;

entity tsm_slice is
  generic (
    WIDTH : positive := 8
  );
  port (
    clk_i     : in  std_logic;
    rst_ni    : in  std_logic;
    -- Words in
    s_valid_i : in  std_logic;
    s_ready_o : out std_logic;
    s_data_i  : in  std_logic_vector(WIDTH - 1 downto 0);
    -- Words out
    m_valid_o : out std_logic;
    m_ready_i : in  std_logic;
    m_data_o  : out std_logic_vector(WIDTH - 1 downto 0)
  );
end entity;

architecture rtl of tsm_slice is
  signal valid_q : std_logic;
  signal data_q  : std_logic_vector(WIDTH - 1 downto 0);
  signal ready   : std_logic;
begin
  ready     <= (not valid_q) or m_ready_i;
  s_ready_o <= ready;
  m_valid_o <= valid_q;
  m_data_o  <= data_q;

  data : process (clk_i)
  begin
    if rising_edge(clk_i) then
      if ready = '1' then
        data_q <= s_data_i;
      end if;
    end if;
  end process;

  control : process (clk_i, rst_ni)
  begin
    if rst_ni = '0' then
      valid_q <= '0';
    elsif rising_edge(clk_i) then
      if ready = '1' then
        valid_q <= s_valid_i;
      end if;
    end if;
  end process;
end architecture;

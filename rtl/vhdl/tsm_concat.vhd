-- Two streams to one, lanes side by side, as rtl/stream/tsm_concat.sv.
library ieee;
use ieee.std_logic_1164.all;

entity tsm_concat is
  generic (
    A_W : positive := 8;
    B_W : positive := 8
  );
  port (
    clk_i     : in  std_logic;
    rst_ni    : in  std_logic;
    -- First stream
    a_valid_i : in  std_logic;
    a_ready_o : out std_logic;
    a_data_i  : in  std_logic_vector(A_W - 1 downto 0);
    -- Second stream
    b_valid_i : in  std_logic;
    b_ready_o : out std_logic;
    b_data_i  : in  std_logic_vector(B_W - 1 downto 0);
    -- Pairs out: a in the low bits
    m_valid_o : out std_logic;
    m_ready_i : in  std_logic;
    m_data_o  : out std_logic_vector(A_W + B_W - 1 downto 0)
  );
end entity;

architecture rtl of tsm_concat is
  signal valid_q    : std_logic;
  signal data_q     : std_logic_vector(A_W + B_W - 1 downto 0);
  signal step, both : std_logic;
begin
  step      <= (not valid_q) or m_ready_i;
  both      <= a_valid_i and b_valid_i;
  a_ready_o <= step and both;
  b_ready_o <= step and both;
  m_valid_o <= valid_q;
  m_data_o  <= data_q;

  data : process (clk_i)
  begin
    if rising_edge(clk_i) then
      if step = '1' then
        data_q <= b_data_i & a_data_i;
      end if;
    end if;
  end process;

  control : process (clk_i, rst_ni)
  begin
    if rst_ni = '0' then
      valid_q <= '0';
    elsif rising_edge(clk_i) then
      if step = '1' then
        valid_q <= both;
      end if;
    end if;
  end process;
end architecture;

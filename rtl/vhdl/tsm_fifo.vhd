-- First-in, first-out queue, as rtl/common/tsm_fifo.sv; it says how many words it holds.
library ieee;
use ieee.std_logic_1164.all;

entity tsm_fifo is
  generic (
    WIDTH : positive := 8;
    DEPTH : positive := 2
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
    m_data_o  : out std_logic_vector(WIDTH - 1 downto 0);
    -- Words held
    level_o   : out natural range 0 to DEPTH
  );
end entity;

architecture rtl of tsm_fifo is
  type memory_t is array (0 to DEPTH - 1) of std_logic_vector(WIDTH - 1 downto 0);
  signal mem_q      : memory_t;
  signal wr_q, rd_q : natural range 0 to DEPTH - 1;
  signal level_q    : natural range 0 to DEPTH;
  signal push, pop  : boolean;
begin
  push      <= s_valid_i = '1' and level_q /= DEPTH;
  pop       <= m_ready_i = '1' and level_q /= 0;
  s_ready_o <= '1' when level_q /= DEPTH else '0';
  m_valid_o <= '1' when level_q /= 0 else '0';
  m_data_o  <= mem_q(rd_q);
  level_o   <= level_q;

  data : process (clk_i)
  begin
    if rising_edge(clk_i) then
      if push then
        mem_q(wr_q) <= s_data_i;
      end if;
    end if;
  end process;

  control : process (clk_i, rst_ni)
  begin
    if rst_ni = '0' then
      wr_q    <= 0;
      rd_q    <= 0;
      level_q <= 0;
    elsif rising_edge(clk_i) then
      if push then
        wr_q <= (wr_q + 1) mod DEPTH;
      end if;
      if pop then
        rd_q <= (rd_q + 1) mod DEPTH;
      end if;
      if push and not pop then
        level_q <= level_q + 1;
      elsif pop and not push then
        level_q <= level_q - 1;
      end if;
    end if;
  end process;
end architecture;

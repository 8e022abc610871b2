-- One stream to two, as rtl/stream/tsm_fork.sv.
library ieee;
use ieee.std_logic_1164.all;

entity tsm_fork is
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
    -- First copy
    a_valid_o : out std_logic;
    a_ready_i : in  std_logic;
    a_data_o  : out std_logic_vector(WIDTH - 1 downto 0);
    -- Second copy
    b_valid_o : out std_logic;
    b_ready_i : in  std_logic;
    b_data_o  : out std_logic_vector(WIDTH - 1 downto 0)
  );
end entity;

architecture rtl of tsm_fork is
  signal a_done_q, b_done_q     : std_logic;
  signal a_done, b_done, finish : std_logic;
begin
  a_done    <= a_done_q or a_ready_i;
  b_done    <= b_done_q or b_ready_i;
  finish    <= a_done and b_done;
  a_valid_o <= s_valid_i and not a_done_q;
  b_valid_o <= s_valid_i and not b_done_q;
  a_data_o  <= s_data_i;
  b_data_o  <= s_data_i;
  s_ready_o <= finish;

  control : process (clk_i, rst_ni)
  begin
    if rst_ni = '0' then
      a_done_q <= '0';
      b_done_q <= '0';
    elsif rising_edge(clk_i) then
      if s_valid_i = '1' then
        a_done_q <= a_done and not finish;
        b_done_q <= b_done and not finish;
      end if;
    end if;
  end process;
end architecture;

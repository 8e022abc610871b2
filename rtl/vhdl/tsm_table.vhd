-- Any function of a byte, lane by lane, as rtl/stream/tsm_table.sv.
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;
use std.textio.all;

entity tsm_table is
  generic (
    LANES : positive := 1;
    OUT_W : positive := 8;
    TABLE : string   := "table.mem"
  );
  port (
    clk_i     : in  std_logic;
    rst_ni    : in  std_logic;
    -- Bytes in
    s_valid_i : in  std_logic;
    s_ready_o : out std_logic;
    s_data_i  : in  std_logic_vector(LANES * 8 - 1 downto 0);
    -- Results out
    m_valid_o : out std_logic;
    m_ready_i : in  std_logic;
    m_data_o  : out std_logic_vector(LANES * OUT_W - 1 downto 0)
  );
end entity;

architecture rtl of tsm_table is
  type rom_t is array (0 to 255) of std_logic_vector(OUT_W - 1 downto 0);

  impure function contents return rom_t is
    file results    : text open read_mode is TABLE;
    variable row    : line;
    variable digits : std_logic_vector((OUT_W + 3) / 4 * 4 - 1 downto 0);
    variable read   : rom_t;
  begin
    for i in rom_t'range loop
      readline(results, row);
      hread(row, digits);
      read(i) := digits(OUT_W - 1 downto 0);
    end loop;
    return read;
  end function;

  constant ROM   : rom_t := contents;
  signal valid_q : std_logic;
  signal step    : std_logic;
begin
  step      <= not valid_q or m_ready_i;
  s_ready_o <= step;
  m_valid_o <= valid_q;

  control : process (clk_i, rst_ni)
  begin
    if rst_ni = '0' then
      valid_q <= '0';
    elsif rising_edge(clk_i) then
      if step = '1' then
        valid_q <= s_valid_i;
      end if;
    end if;
  end process;

  gen_lane : for l in 0 to LANES - 1 generate
    look_up : process (clk_i)
    begin
      if rising_edge(clk_i) then
        if step = '1' and s_valid_i = '1' then
          m_data_o((l + 1) * OUT_W - 1 downto l * OUT_W) <=
            ROM(to_integer(unsigned(s_data_i(l * 8 + 7 downto l * 8))));
        end if;
      end if;
    end process;
  end generate;
end architecture;

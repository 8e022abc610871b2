-- Which rows of an image a window former holds, as rtl/stream/tsm_rows.sv.
library ieee;
use ieee.std_logic_1164.all;

entity tsm_rows is
  generic (
    H      : positive := 4;
    OH     : positive := 4;
    SPAN   : positive := 3;
    STRIDE : positive := 1;
    TOP    : natural  := 1;
    ROWS   : positive := 4
  );
  port (
    clk_i       : in  std_logic;
    rst_ni      : in  std_logic;
    -- Rows in
    row_in_i    : in  boolean;
    full_o      : out boolean;
    in_slot_o   : out natural range 0 to ROWS - 1;
    -- Rows out
    ready_o     : out boolean;
    row_out_i   : in  boolean;
    base_o      : out integer range -TOP to OH * STRIDE;
    base_slot_o : out natural range 0 to ROWS - 1
  );
end entity;

architecture rtl of tsm_rows is
  constant LAST_BASE : integer := (OH - 1) * STRIDE - TOP;
  constant ABOVE     : natural := (ROWS - TOP mod ROWS) mod ROWS;

  signal in_slot_q, image_slot_q, base_slot_q : natural range 0 to ROWS - 1;
  signal held_q                               : natural range 0 to ROWS;
  signal base_q                               : integer range -TOP to OH * STRIDE;
  signal first_q, next_first, freed           : natural range 0 to H;
  signal last_row                             : integer range -TOP to H;
  signal freeing_q, last, free                : boolean;
begin
  last       <= base_q = LAST_BASE;
  last_row   <= H - 1 when base_q + SPAN - 1 > H - 1 else base_q + SPAN - 1;
  next_first <= H when last or base_q + STRIDE > H else 0 when base_q + STRIDE < 0 else base_q + STRIDE;
  freed      <= next_first - first_q when next_first > first_q else 0;
  free       <= (freeing_q or row_out_i) and held_q >= freed;

  full_o      <= held_q = ROWS;
  in_slot_o   <= in_slot_q;
  ready_o     <= not freeing_q and held_q > last_row - first_q;
  base_o      <= base_q;
  base_slot_o <= base_slot_q;

  control : process (clk_i, rst_ni)
    variable held : natural;
  begin
    if rst_ni = '0' then
      in_slot_q    <= 0;
      image_slot_q <= 0;
      base_slot_q  <= ABOVE;
      held_q       <= 0;
      base_q       <= -TOP;
      first_q      <= 0;
      freeing_q    <= false;
    elsif rising_edge(clk_i) then
      held := held_q;
      if row_in_i then
        in_slot_q <= (in_slot_q + 1) mod ROWS;
        held := held + 1;
      end if;
      if free then
        held := held - freed;
        first_q <= 0 when last else next_first;
        base_q <= -TOP when last else base_q + STRIDE;
        base_slot_q <= (image_slot_q + H + ABOVE) mod ROWS when last else (base_slot_q + STRIDE) mod ROWS;
        if last then
          image_slot_q <= (image_slot_q + H) mod ROWS;
        end if;
      end if;
      held_q    <= held;
      freeing_q <= (freeing_q or row_out_i) and not free;
    end if;
  end process;
end architecture;

-- Line buffer, padding and window former that gives a whole window a clock, as rtl/stream/tsm_slide.sv for words that
-- are whole pixels. Padding is PAD in every PAD_W bits of every tap.
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;

entity tsm_slide is
  generic (
    WORD_W : positive := 8;
    WORDS  : positive range 1 to 1 := 1;
    H      : positive := 4;
    W      : positive := 4;
    OH     : positive := 4;
    OW     : positive := 4;
    KH     : positive := 3;
    KW     : positive := 3;
    SH     : positive := 1;
    SW     : positive := 1;
    DH     : positive := 1;
    DW     : positive := 1;
    TOP    : natural  := 1;
    LEFT   : natural  := 1;
    ROWS   : positive := 4;
    QUEUE  : positive := 4;
    PAD    : natural  := 0;
    PAD_W  : positive := 8
  );
  port (
    clk_i     : in  std_logic;
    rst_ni    : in  std_logic;
    -- Image in, row by row
    s_valid_i : in  std_logic;
    s_ready_o : out std_logic;
    s_data_i  : in  std_logic_vector(WORD_W - 1 downto 0);
    -- Windows out
    m_valid_o : out std_logic;
    m_ready_i : in  std_logic;
    m_data_o  : out std_logic_vector(KH * KW * WORD_W - 1 downto 0)
  );
end entity;

architecture rtl of tsm_slide is
  subtype word_t is std_logic_vector(WORD_W - 1 downto 0);
  type column_t is array (0 to KH - 1) of word_t;

  constant SPAN  : positive := (KW - 1) * DW + 1;
  constant FIRST : natural  := SPAN - 1 - LEFT;
  constant LAST  : natural  := (OW - 1) * SW - LEFT + SPAN - 1;

  -- Columns of a row's last windows that lie behind the row.
  function columns_behind return natural is
  begin
    if LAST >= W then
      return LAST - W + 1;
    end if;
    return 0;
  end function;
  constant TAIL : natural := columns_behind;

  function padding return word_t is
    variable filled : word_t;
  begin
    for i in word_t'range loop
      filled(i) := to_unsigned(PAD, PAD_W)(i mod PAD_W);
    end loop;
    return filled;
  end function;

  -- The buffer in front, and the column read a clock before.
  signal row_ok, word_ok, read : boolean;
  signal column                : column_t;

  signal address_q              : natural range 0 to W - 1;
  signal next_q                 : natural range 0 to W + SPAN + SW;
  signal tail_q                 : natural range 0 to TAIL;
  signal moved_q, emit1_q       : boolean;
  signal valid_q                : std_logic;
  signal step, move, in_tail    : boolean;
  signal tail_emits             : boolean;
  signal mask, mask1_q, mask_q  : std_logic_vector(KW - 1 downto 0);
begin
  step    <= valid_q = '0' or m_ready_i = '1';
  in_tail <= tail_q /= TAIL;
  read    <= step and row_ok when address_q = 0 else step and word_ok;
  move    <= read or (step and address_q = 0 and in_tail);

  masks : process (all)
  begin
    tail_emits <= in_tail and (W + tail_q - FIRST) mod SW = 0;
    for j in 0 to KW - 1 loop
      if in_tail then
        mask(j) <= '1' when tail_q < (KW - 1 - j) * DW and W + tail_q >= (KW - 1 - j) * DW else '0';
      else
        mask(j) <= '1' when address_q >= (KW - 1 - j) * DW else '0';
      end if;
    end loop;
  end process;

  control : process (clk_i, rst_ni)
  begin
    if rst_ni = '0' then
      address_q <= 0;
      next_q    <= FIRST;
      tail_q    <= TAIL;
      moved_q   <= false;
      emit1_q   <= false;
      valid_q   <= '0';
    elsif rising_edge(clk_i) then
      if step then
        moved_q <= move;
        emit1_q <= tail_emits when in_tail else read and next_q = 0;
        valid_q <= '1' when moved_q and emit1_q else '0';
      end if;
      if move and in_tail then
        tail_q <= tail_q + 1;
      end if;
      if read then
        if address_q = W - 1 then
          address_q <= 0;
          next_q    <= FIRST;
          tail_q    <= 0;
        else
          address_q <= address_q + 1;
          next_q    <= SW - 1 when next_q = 0 else next_q - 1;
        end if;
      end if;
    end if;
  end process;

  gen_queue : if KH = 1 and SH = 1 and TOP = 0 generate
    signal queued, pop : std_logic;
    signal word        : word_t;
    signal level       : natural range 0 to QUEUE;
  begin
    -- Enough for the tail must be there before a row begins, so that no window waits for words of the next row.
    word_ok <= queued = '1';
    pop     <= '1' when read else '0';
    row_ok  <= word_ok and (level >= TAIL or not in_tail);

    u_queue : entity work.tsm_fifo
      generic map (
        WIDTH => WORD_W, DEPTH => QUEUE
      )
      port map (
        clk_i => clk_i, rst_ni => rst_ni, s_valid_i => s_valid_i, s_ready_o => s_ready_o, s_data_i => s_data_i,
        m_valid_o => queued, m_ready_i => pop, m_data_o => word, level_o => level
      );

    data : process (clk_i)
    begin
      if rising_edge(clk_i) then
        if read then
          column(0) <= word;
        end if;
      end if;
    end process;
  end generate;

  gen_rows : if not (KH = 1 and SH = 1 and TOP = 0) generate
    type slot_t is array (0 to W - 1) of word_t;
    type ring_t is array (0 to ROWS - 1) of slot_t;
    type words_t is array (0 to ROWS - 1) of word_t;
    signal ring_q             : ring_t;
    signal words1_q           : words_t;
    signal full               : boolean;
    signal in_slot, base_slot : natural range 0 to ROWS - 1;
    signal slot1_q            : natural range 0 to ROWS - 1;
    signal base, base1_q      : integer range -TOP to OH * SH;
    signal in_q               : natural range 0 to W - 1;
    signal take               : boolean;
    signal row_in, row_out    : boolean;
  begin
    s_ready_o <= '0' when full else '1';
    take      <= s_valid_i = '1' and not full;
    word_ok   <= true;
    row_in    <= take and in_q = W - 1;
    row_out   <= read and address_q = W - 1;

    u_rows : entity work.tsm_rows
      generic map (
        H => H, OH => OH, SPAN => (KH - 1) * DH + 1, STRIDE => SH, TOP => TOP, ROWS => ROWS
      )
      port map (
        clk_i => clk_i, rst_ni => rst_ni, row_in_i => row_in, full_o => full, in_slot_o => in_slot,
        ready_o => row_ok, row_out_i => row_out, base_o => base, base_slot_o => base_slot
      );

    counter : process (clk_i, rst_ni)
    begin
      if rst_ni = '0' then
        in_q <= 0;
      elsif rising_edge(clk_i) then
        if take then
          in_q <= 0 when in_q = W - 1 else in_q + 1;
        end if;
      end if;
    end process;

    data : process (clk_i)
    begin
      if rising_edge(clk_i) then
        if take then
          ring_q(in_slot)(in_q) <= s_data_i;
        end if;
        if read then
          slot1_q <= base_slot;
          base1_q <= base;
          for slot in 0 to ROWS - 1 loop
            words1_q(slot) <= ring_q(slot)(address_q);
          end loop;
        end if;
      end if;
    end process;

    -- Row y of the windows is y * DH slots behind the base.
    gen_column : for y in 0 to KH - 1 generate
      column(y) <= words1_q((slot1_q + y * DH) mod ROWS) when base1_q + y * DH >= 0 and base1_q + y * DH < H
                   else padding;
    end generate;
  end generate;

  -- The last column of the window is the one that moved in last.
  gen_shift : for y in 0 to KH - 1 generate
    type shift_t is array (0 to SPAN - 1) of word_t;
    signal words_q : shift_t;
  begin
    shift : process (clk_i)
    begin
      if rising_edge(clk_i) then
        if step and moved_q then
          words_q(0) <= column(y);
          for i in 1 to SPAN - 1 loop
            words_q(i) <= words_q(i - 1);
          end loop;
        end if;
      end if;
    end process;

    gen_tap : for x in 0 to KW - 1 generate
      m_data_o((y * KW + x + 1) * WORD_W - 1 downto (y * KW + x) * WORD_W) <=
        words_q((KW - 1 - x) * DW) when mask_q(x) = '1' else padding;
    end generate;
  end generate;

  delay : process (clk_i)
  begin
    if rising_edge(clk_i) then
      if step then
        mask1_q <= mask;
        mask_q  <= mask1_q;
      end if;
    end if;
  end process;
  m_valid_o <= valid_q;
end architecture;

-- Words of IN_LANES lanes to words of OUT_LANES lanes, another number, as rtl/stream/tsm_gearbox.sv.
library ieee;
use ieee.std_logic_1164.all;

entity tsm_gearbox is
  generic (
    LANE_W    : positive := 8;
    IN_LANES  : positive := 1;
    OUT_LANES : positive := 1
  );
  port (
    clk_i     : in  std_logic;
    rst_ni    : in  std_logic;
    -- Words in
    s_valid_i : in  std_logic;
    s_ready_o : out std_logic;
    s_data_i  : in  std_logic_vector(IN_LANES * LANE_W - 1 downto 0);
    -- Words out
    m_valid_o : out std_logic;
    m_ready_i : in  std_logic;
    m_data_o  : out std_logic_vector(OUT_LANES * LANE_W - 1 downto 0)
  );
end entity;

architecture rtl of tsm_gearbox is
  constant IN_W  : positive := IN_LANES * LANE_W;
  constant OUT_W : positive := OUT_LANES * LANE_W;
begin
  gen_pack : if IN_LANES < OUT_LANES generate
    constant PARTS : positive := OUT_LANES / IN_LANES;
    signal count_q : natural range 0 to PARTS - 1;
    signal data_q  : std_logic_vector(OUT_W - 1 downto 0);
    signal valid_q : std_logic;
    signal ready   : std_logic;
  begin
    ready     <= (not valid_q) or m_ready_i;
    s_ready_o <= ready;
    m_valid_o <= valid_q;
    m_data_o  <= data_q;

    data : process (clk_i)
    begin
      if rising_edge(clk_i) then
        if (s_valid_i and ready) = '1' then
          data_q <= s_data_i & data_q(OUT_W - 1 downto IN_W);
        end if;
      end if;
    end process;

    control : process (clk_i, rst_ni)
    begin
      if rst_ni = '0' then
        count_q <= 0;
        valid_q <= '0';
      elsif rising_edge(clk_i) then
        if m_ready_i = '1' then
          valid_q <= '0';
        end if;
        if (s_valid_i and ready) = '1' then
          count_q <= (count_q + 1) mod PARTS;
          if count_q = PARTS - 1 then
            valid_q <= '1';
          end if;
        end if;
      end if;
    end process;
  end generate;

  gen_unpack : if IN_LANES > OUT_LANES generate
    constant PARTS : positive := IN_LANES / OUT_LANES;
    signal left_q  : natural range 0 to PARTS;
    signal data_q  : std_logic_vector(IN_W - 1 downto 0);
    signal ready   : std_logic;
  begin
    ready     <= '1' when left_q = 0 or (left_q = 1 and m_ready_i = '1') else '0';
    s_ready_o <= ready;
    m_valid_o <= '1' when left_q /= 0 else '0';
    m_data_o  <= data_q(OUT_W - 1 downto 0);

    data : process (clk_i)
    begin
      if rising_edge(clk_i) then
        if (s_valid_i and ready) = '1' then
          data_q <= s_data_i;
        elsif left_q /= 0 and m_ready_i = '1' then
          data_q <= (OUT_W - 1 downto 0 => '0') & data_q(IN_W - 1 downto OUT_W);
        end if;
      end if;
    end process;

    control : process (clk_i, rst_ni)
    begin
      if rst_ni = '0' then
        left_q <= 0;
      elsif rising_edge(clk_i) then
        if (s_valid_i and ready) = '1' then
          left_q <= PARTS;
        elsif left_q /= 0 and m_ready_i = '1' then
          left_q <= left_q - 1;
        end if;
      end if;
    end process;
  end generate;
end architecture;

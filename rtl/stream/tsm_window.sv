// Line buffer, padding and window former. Takes the image row by row and gives, for each output position, the pixels
// under the window: KH x KW pixels of WORDS words each.
//
//   CHANNELS_OUTER = 0:  for kh, for kw, for word     what a matrix-vector unit multiplies
//   CHANNELS_OUTER = 1:  for word, for kh, for kw     what pooling and depthwise convolution reduce
//
// Whole rows are kept in a ring of ROWS rows, at least those under a window and those of a stride. A row may come in as long as a slot is free; output row oy begins once
// the last row under it is complete, and frees the rows that no later window needs. Padding is PAD in every lane bit.
//
//   rows in     |r0 |r1 |r2 |r3 |r4 |          3 x 3, padding 1: windows of row 0 begin when r1 is complete,
//   windows out         |oy0|oy1|oy2|oy3|oy4|  and r0 is freed behind oy1
`default_nettype none

module tsm_window #(
    parameter integer WORD_W = 8,
    parameter integer WORDS = 1,
    parameter integer H = 4,
    parameter integer W = 4,
    parameter integer OH = 4,
    parameter integer OW = 4,
    parameter integer KH = 3,
    parameter integer KW = 3,
    parameter integer SH = 1,
    parameter integer SW = 1,
    parameter integer DH = 1,
    parameter integer DW = 1,
    parameter integer TOP = 1,
    parameter integer LEFT = 1,
    parameter integer CHANNELS_OUTER = 0,
    parameter integer ROWS = (KH - 1) * DH + 1 + SH,
    parameter [WORD_W-1:0] PAD = '0
) (
    input  wire logic              clk_i,
    input  wire logic              rst_ni,
    // Image in, row by row
    input  wire logic              s_valid_i,
    output wire logic              s_ready_o,
    input  wire logic [WORD_W-1:0] s_data_i,
    // Windows out
    output wire logic              m_valid_o,
    input  wire logic              m_ready_i,
    output wire logic [WORD_W-1:0] m_data_o
);
  localparam integer SPAN = (KH - 1) * DH + 1;
  localparam integer ROW_WORDS = W * WORDS;
  localparam integer DEPTH = ROWS * ROW_WORDS;
  localparam integer AW = DEPTH > 1 ? $clog2(DEPTH) : 1;
  // Wide enough for every coordinate, above and below the image.
  localparam integer CW = $clog2(H + W + OH * SH + OW * SW + SPAN + (KW - 1) * DW + TOP + LEFT + ROWS + WORDS + 2) + 2;

  logic [WORD_W-1:0] mem_q [0:DEPTH-1];

  // Rows in: position in the row, slot of the row, complete rows that are held.
  logic [CW-1:0] in_word_q, in_slot_q, held_q;
  wire logic take = s_valid_i && s_ready_o;
  wire logic row_end = take && in_word_q == CW'(ROW_WORDS - 1);

  assign s_ready_o = held_q != CW'(ROWS);

  always_ff @(posedge clk_i) begin
    if (take) mem_q[AW'(in_slot_q * ROW_WORDS + in_word_q)] <= s_data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      in_word_q <= '0;
      in_slot_q <= '0;
    end else if (take) begin
      in_word_q <= row_end ? '0 : in_word_q + 1'b1;
      if (row_end) in_slot_q <= in_slot_q == CW'(ROWS - 1) ? '0 : in_slot_q + 1'b1;
    end
  end

  // Windows out: output position, place in the window, first row that is held and its slot.
  logic [CW-1:0] oy_q, ox_q, kh_q, kw_q, word_q, first_slot_q;
  logic signed [CW-1:0] first_q;
  wire logic signed [CW-1:0] iy = CW'(oy_q * SH) + CW'(kh_q * DH) - CW'(TOP);
  wire logic signed [CW-1:0] ix = CW'(ox_q * SW) + CW'(kw_q * DW) - CW'(LEFT);
  wire logic on_image = iy >= 0 && iy < $signed(CW'(H)) && ix >= 0 && ix < $signed(CW'(W));

  // Rows that must be there, and rows that this output row frees, counted from the first that is held.
  wire logic signed [CW-1:0] bottom = CW'(oy_q * SH) + CW'(SPAN - 1) - CW'(TOP);
  wire logic signed [CW-1:0] last_row = bottom > $signed(CW'(H - 1)) ? CW'(H - 1) : bottom;
  wire logic last_oy = oy_q == CW'(OH - 1);
  wire logic signed [CW-1:0] next_top = CW'(oy_q * SH) + CW'(SH) - CW'(TOP);
  wire logic signed [CW-1:0] next_first = last_oy ? CW'(H) : next_top < 0 ? '0
                                        : next_top > $signed(CW'(H)) ? CW'(H) : next_top;
  wire logic [CW-1:0] freed = next_first - first_q;
  wire logic ready_rows = $signed(held_q) > last_row - first_q;

  wire logic last_word = word_q == CW'(WORDS - 1);
  wire logic last_kw = kw_q == CW'(KW - 1);
  wire logic last_kh = kh_q == CW'(KH - 1);
  wire logic last_ox = ox_q == CW'(OW - 1);
  wire logic window_end = last_word && last_kw && last_kh;

  // Rows are freed in the clock of an output row's last word, or later where rows that nothing reads are yet to come.
  logic freeing_q;
  logic valid1_q, pad1_q;
  logic [WORD_W-1:0] word1_q;
  wire logic step = !valid1_q || m_ready_i;
  wire logic issue = !freeing_q && ready_rows && step;
  wire logic row_done = issue && window_end && last_ox;
  wire logic free = (freeing_q || row_done) && held_q >= freed;

  wire logic [CW-1:0] ahead = first_slot_q + CW'(iy - first_q);
  wire logic [CW-1:0] slot = ahead >= CW'(ROWS) ? ahead - CW'(ROWS) : ahead;

  always_ff @(posedge clk_i) begin
    if (issue) begin
      word1_q <= mem_q[AW'(slot * ROW_WORDS + CW'(ix) * WORDS + word_q)];
      pad1_q  <= !on_image;
    end
  end

  assign m_valid_o = valid1_q;
  assign m_data_o  = pad1_q ? PAD : word1_q;

  wire logic [CW-1:0] first_moved = first_slot_q + freed;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {oy_q, ox_q, kh_q, kw_q, word_q, first_slot_q} <= '0;
      first_q   <= '0;
      held_q    <= '0;
      freeing_q <= 1'b0;
      valid1_q  <= 1'b0;
    end else begin
      if (step) valid1_q <= issue;
      held_q <= held_q + CW'(row_end) - (free ? freed : '0);
      if (issue) begin
        if (CHANNELS_OUTER != 0) begin
          kw_q <= last_kw ? '0 : kw_q + 1'b1;
          if (last_kw) kh_q <= last_kh ? '0 : kh_q + 1'b1;
          if (last_kw && last_kh) word_q <= last_word ? '0 : word_q + 1'b1;
        end else begin
          word_q <= last_word ? '0 : word_q + 1'b1;
          if (last_word) kw_q <= last_kw ? '0 : kw_q + 1'b1;
          if (last_word && last_kw) kh_q <= last_kh ? '0 : kh_q + 1'b1;
        end
        if (window_end) ox_q <= last_ox ? '0 : ox_q + 1'b1;
      end
      freeing_q <= (freeing_q || row_done) && !free;
      if (free) begin
        oy_q <= last_oy ? '0 : oy_q + 1'b1;
        first_q <= last_oy ? '0 : next_first;
        first_slot_q <= first_moved >= CW'(ROWS) ? first_moved - CW'(ROWS) : first_moved;
      end
    end
  end
endmodule

`default_nettype wire

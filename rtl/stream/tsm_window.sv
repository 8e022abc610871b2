// Line buffer, padding and window former that gives a pixel a clock. Takes the image row by row and gives, for each
// output position, the pixels under the window: KH x KW pixels of WORDS words each. tsm_slide gives them all at once.
//
//   CHANNELS_OUTER = 0:  for kh, for kw, for word     what a matrix-vector unit multiplies
//   CHANNELS_OUTER = 1:  for word, for kh, for kw     what pooling and depthwise convolution reduce
//
// Whole rows are kept in a ring of ROWS rows (tsm_rows), at least those under a window and those of a stride. Padding
// is PAD.
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
  localparam integer SLOT_W = ROWS > 1 ? $clog2(ROWS) : 1;
  localparam integer ROW_W = $clog2(H + OH * SH + SPAN + TOP + ROWS + 1) + 1;
  localparam integer IW = ROW_WORDS > 1 ? $clog2(ROW_WORDS) : 1;
  // Signed; wide enough for every word on the left and on the right of a row.
  localparam integer XW = $clog2((W + OW * SW + KW * DW + LEFT + 1) * WORDS) + 1;
  localparam integer KHW = KH > 1 ? $clog2(KH) : 1;
  localparam integer KWW = KW > 1 ? $clog2(KW) : 1;
  localparam integer WW = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam integer OXW = OW > 1 ? $clog2(OW) : 1;

  logic [WORD_W-1:0] mem_q [0:DEPTH-1];

  // Rows in
  wire logic full, rows_ready, row_out;
  wire logic [SLOT_W-1:0] in_slot, base_slot;
  wire logic signed [ROW_W-1:0] base;
  logic [IW-1:0] in_word_q;
  wire logic take = s_valid_i && s_ready_o;
  wire logic row_in = take && in_word_q == IW'(ROW_WORDS - 1);

  assign s_ready_o = !full;

  tsm_rows #(
      .H(H), .OH(OH), .SPAN(SPAN), .STRIDE(SH), .TOP(TOP), .ROWS(ROWS), .SLOT_W(SLOT_W), .ROW_W(ROW_W)
  ) u_rows (
      .clk_i(clk_i), .rst_ni(rst_ni), .row_in_i(row_in), .full_o(full), .in_slot_o(in_slot), .ready_o(rows_ready),
      .row_out_i(row_out), .base_o(base), .base_slot_o(base_slot)
  );

  always_ff @(posedge clk_i) begin
    if (take) mem_q[AW'(32'(in_slot) * ROW_WORDS) + AW'(in_word_q)] <= s_data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) in_word_q <= '0;
    else if (take) in_word_q <= row_in ? '0 : in_word_q + 1'b1;
  end

  // Windows out: place in the window; word of the row under it, and the word that each of its rows begins with.
  logic [KHW-1:0] kh_q;
  logic [KWW-1:0] kw_q;
  logic [WW-1:0] word_q;
  logic [OXW-1:0] ox_q;
  logic [SLOT_W-1:0] below_q;
  logic signed [XW-1:0] at_q, left_q;
  wire logic last_word = word_q == WW'(WORDS - 1);
  wire logic last_kw = kw_q == KWW'(KW - 1);
  wire logic last_kh = kh_q == KHW'(KH - 1);
  wire logic last_ox = ox_q == OXW'(OW - 1);
  wire logic strip_end = last_kw && (CHANNELS_OUTER != 0 || last_word);
  wire logic block_end = strip_end && last_kh;
  wire logic window_end = block_end && last_word;

  wire logic signed [XW-1:0] forward =
      CHANNELS_OUTER != 0 ? XW'(DW * WORDS) : last_word ? XW'((DW - 1) * WORDS + 1) : XW'(1);
  wire logic signed [XW-1:0] next_window =
      last_ox ? XW'(-LEFT * WORDS) : left_q + XW'(SW * WORDS - (CHANNELS_OUTER != 0 ? WORDS - 1 : 0));
  wire logic signed [XW-1:0] next_left = window_end ? next_window : left_q + XW'(1);

  wire logic signed [ROW_W-1:0] row = base + ROW_W'(32'(kh_q) * DH);
  wire logic on_image = row >= 0 && row < ROW_W'(H) && at_q >= 0 && at_q < XW'(ROW_WORDS);
  wire logic [SLOT_W:0] ahead = {1'b0, base_slot} + {1'b0, below_q};
  wire logic [SLOT_W:0] slot = ahead >= (SLOT_W + 1)'(ROWS) ? ahead - (SLOT_W + 1)'(ROWS) : ahead;

  logic valid1_q, pad1_q;
  logic [WORD_W-1:0] word1_q;
  wire logic step = !valid1_q || m_ready_i;
  wire logic issue = rows_ready && step;
  assign row_out = issue && window_end && last_ox;

  always_ff @(posedge clk_i) begin
    if (issue) begin
      word1_q <= mem_q[AW'(32'(slot) * ROW_WORDS) + AW'(at_q)];
      pad1_q  <= !on_image;
    end
  end

  assign m_valid_o = valid1_q;
  assign m_data_o  = pad1_q ? PAD : word1_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {kh_q, kw_q, word_q, ox_q, below_q} <= '0;
      at_q     <= XW'(-LEFT * WORDS);
      left_q   <= XW'(-LEFT * WORDS);
      valid1_q <= 1'b0;
    end else begin
      if (step) valid1_q <= issue;
      if (issue) begin
        if (CHANNELS_OUTER != 0 ? block_end : 1'b1) word_q <= last_word ? '0 : word_q + 1'b1;
        if (CHANNELS_OUTER != 0 || last_word) kw_q <= last_kw ? '0 : kw_q + 1'b1;
        if (strip_end) begin
          kh_q    <= last_kh ? '0 : kh_q + 1'b1;
          below_q <= last_kh ? '0 : SLOT_W'((32'(below_q) + DH) % ROWS);
        end
        if (window_end) ox_q <= last_ox ? '0 : ox_q + 1'b1;
        if (block_end) left_q <= next_left;
        at_q <= !strip_end ? at_q + forward : block_end ? next_left : left_q;
      end
    end
  end
endmodule

`default_nettype wire

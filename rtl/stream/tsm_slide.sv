// Line buffer, padding and window former that gives a whole window a clock: KH x KW pixels, one of WORDS words of each.
// Behind each output position come the windows of word 0, word 1 …; tap (0, 0) is in the low bits, then (0, 1) ….
//
// A clock reads one column of KH pixels, which moves into a register of KW columns. Rows follow each other without a
// gap: while the first columns of a row move in, the last windows of the row before it, whose right taps lie in the
// padding, leave; where the next row is not there yet, empty columns move in. Padding is PAD in every tap.
//
//   columns in   |r0c0|r0c1|r0c2|r0c3|r1c0|r1c1|      3 x 3, padding 1, W = 4
//   windows out            |x=0 |x=1 |x=2 |x=3 |      window x=3 is complete with the column that follows r0c3
//
// Where KH = 1 the pixels go through a queue of QUEUE words; else whole rows stand in a ring of ROWS rows (tsm_rows).
// Needs LEFT and the padding on the right to be at most the window's width less one, together too.
`default_nettype none

module tsm_slide #(
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
    parameter integer ROWS = (KH - 1) * DH + 1 + SH,
    parameter integer QUEUE = (KW - 1) * DW * WORDS + 2,
    parameter [WORD_W-1:0] PAD = '0
) (
    input  wire logic                      clk_i,
    input  wire logic                      rst_ni,
    // Image in, row by row
    input  wire logic                      s_valid_i,
    output wire logic                      s_ready_o,
    input  wire logic [WORD_W-1:0]         s_data_i,
    // Windows out
    output wire logic                      m_valid_o,
    input  wire logic                      m_ready_i,
    output wire logic [KH*KW*WORD_W-1:0]   m_data_o
);
  localparam integer SPAN = (KW - 1) * DW + 1;
  // Column with which the first window of a row is complete, and the last; TAIL of them lie behind the row.
  localparam integer FIRST = SPAN - 1 - LEFT;
  localparam integer LAST = (OW - 1) * SW - LEFT + SPAN - 1;
  localparam integer TAIL = LAST >= W ? LAST - W + 1 : 0;
  localparam integer ROW_WORDS = W * WORDS;
  localparam integer AW = ROW_WORDS > 1 ? $clog2(ROW_WORDS) : 1;
  localparam integer CW = $clog2(W + SPAN + SW + 1);
  localparam integer WW = WORDS > 1 ? $clog2(WORDS) : 1;

  // The buffer in front: may the first word of a row be read, and each other one? The column read a clock before.
  wire logic row_ok, word_ok, read;
  wire logic [KH*WORD_W-1:0] column;

  // Where the reader is, in how many columns the next window is complete, how much of the tail is out.
  logic [AW-1:0] address_q;
  logic [CW-1:0] col_q, next_q, tail_q;
  logic [WW-1:0] word_q;
  wire logic tail = tail_q != CW'(TAIL);
  wire logic last_word = word_q == WW'(WORDS - 1);
  wire logic last_read = address_q == AW'(ROW_WORDS - 1);

  logic moved_q, emit1_q, valid_q;
  logic [KW-1:0] mask1_q, mask_q;

  // An empty column moves in between two rows only, and once begun, whole.
  wire logic step = !valid_q || m_ready_i;
  wire logic between = address_q == '0;
  wire logic begun = between && word_q != '0;
  assign read = step && (between ? row_ok && !begun : word_ok);
  wire logic move = read || (step && (begun || (between && tail)));

  logic tail_emits;
  logic [KW-1:0] mask;
  integer i, j;
  always_comb begin
    tail_emits = 1'b0;
    mask = '0;
    for (i = 0; i < TAIL; i = i + 1)
      if (tail_q == CW'(i)) tail_emits = (W + i - FIRST) % SW == 0;
    for (j = 0; j < KW; j = j + 1) begin
      if (!tail) mask[j] = 32'(col_q) >= (KW - 1 - j) * DW;
      for (i = 0; i < TAIL; i = i + 1)
        if (tail_q == CW'(i)) mask[j] = i < (KW - 1 - j) * DW && W + i >= (KW - 1 - j) * DW;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      address_q <= '0;
      col_q     <= '0;
      next_q    <= CW'(FIRST);
      tail_q    <= CW'(TAIL);
      word_q    <= '0;
      {moved_q, emit1_q, valid_q} <= '0;
    end else begin
      if (step) begin
        moved_q <= move;
        emit1_q <= tail ? tail_emits : read && next_q == '0;
        valid_q <= moved_q && emit1_q;
      end
      if (move) begin
        word_q <= last_word ? '0 : word_q + 1'b1;
        if (last_word && tail) tail_q <= tail_q + 1'b1;
      end
      if (read) begin
        address_q <= last_read ? '0 : address_q + 1'b1;
        if (last_read) begin
          col_q  <= '0;
          next_q <= CW'(FIRST);
          tail_q <= '0;
        end else if (last_word) begin
          col_q  <= col_q + 1'b1;
          next_q <= next_q == '0 ? CW'(SW - 1) : next_q - 1'b1;
        end
      end
    end
  end

  genvar b, y, x;
  generate
    if (KH == 1 && SH == 1 && TOP == 0) begin : gen_queue
      // Enough for the tail must be there before a row begins, so that no window waits for words of the next row.
      // (Said with >, since >= is always true of no tail, which lint takes for a mistake.)
      localparam integer LW = $clog2(QUEUE + 1);
      localparam integer PW = QUEUE > 1 ? $clog2(QUEUE) : 1;
      logic [WORD_W-1:0] mem_q [0:QUEUE-1];
      logic [WORD_W-1:0] word1_q;
      logic [PW-1:0] wr_q, rd_q;
      logic [LW-1:0] level_q;
      wire logic take = s_valid_i && s_ready_o;

      assign s_ready_o = level_q != LW'(QUEUE);
      assign word_ok = level_q != '0;
      assign row_ok = tail ? 32'(level_q) + 1 > TAIL * WORDS : word_ok;
      assign column = word1_q;

      always_ff @(posedge clk_i) begin
        if (take) mem_q[wr_q] <= s_data_i;
        if (read) word1_q <= mem_q[rd_q];
      end
      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          wr_q    <= '0;
          rd_q    <= '0;
          level_q <= '0;
        end else begin
          if (take) wr_q <= wr_q == PW'(QUEUE - 1) ? '0 : wr_q + 1'b1;
          if (read) rd_q <= rd_q == PW'(QUEUE - 1) ? '0 : rd_q + 1'b1;
          if (take && !read) level_q <= level_q + 1'b1;
          if (read && !take) level_q <= level_q - 1'b1;
        end
      end
    end else begin : gen_rows
      localparam integer SLOT_W = ROWS > 1 ? $clog2(ROWS) : 1;
      localparam integer ROW_W = $clog2(H + OH * SH + KH * DH + TOP + ROWS + 1) + 1;
      wire logic full;
      wire logic [SLOT_W-1:0] in_slot, base_slot;
      wire logic signed [ROW_W-1:0] base;
      logic [AW-1:0] in_q;
      logic [SLOT_W-1:0] slot1_q;
      logic [ROWS*WORD_W-1:0] words1_q;
      wire logic take = s_valid_i && s_ready_o;
      wire logic row_in = take && in_q == AW'(ROW_WORDS - 1);

      assign s_ready_o = !full;
      assign word_ok = 1'b1;

      tsm_rows #(
          .H(H), .OH(OH), .SPAN((KH - 1) * DH + 1), .STRIDE(SH), .TOP(TOP), .ROWS(ROWS), .SLOT_W(SLOT_W),
          .ROW_W(ROW_W)
      ) u_rows (
          .clk_i(clk_i), .rst_ni(rst_ni), .row_in_i(row_in), .full_o(full), .in_slot_o(in_slot), .ready_o(row_ok),
          .row_out_i(read && last_read), .base_o(base), .base_slot_o(base_slot)
      );

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) in_q <= '0;
        else if (take) in_q <= row_in ? '0 : in_q + 1'b1;
      end
      always_ff @(posedge clk_i) begin
        if (read) slot1_q <= base_slot;
      end

      for (b = 0; b < ROWS; b = b + 1) begin : gen_slot
        logic [WORD_W-1:0] mem_q [0:ROW_WORDS-1];
        always_ff @(posedge clk_i) begin
          if (take && in_slot == SLOT_W'(b)) mem_q[in_q] <= s_data_i;
          if (read) words1_q[b*WORD_W +: WORD_W] <= mem_q[address_q];
        end
      end

      // Row y of the windows is y * DH slots behind the base.
      for (y = 0; y < KH; y = y + 1) begin : gen_row
        wire logic signed [ROW_W-1:0] row = base + ROW_W'(y * DH);
        logic on_image1_q;
        logic [WORD_W-1:0] word;
        integer s;
        always_ff @(posedge clk_i) begin
          if (read) on_image1_q <= row >= 0 && row < ROW_W'(H);
        end
        always_comb begin
          word = PAD;
          for (s = 0; s < ROWS; s = s + 1)
            if (on_image1_q && slot1_q == SLOT_W'(s)) word = words1_q[(s + y * DH) % ROWS * WORD_W +: WORD_W];
        end
        assign column[y*WORD_W +: WORD_W] = word;
      end
    end

    // The last column of the window is the one that moved in last; between columns lie the other words of a pixel.
    for (y = 0; y < KH; y = y + 1) begin : gen_shift
      localparam integer DEPTH = (SPAN - 1) * WORDS + 1;
      logic [DEPTH*WORD_W-1:0] words_q;
      if (DEPTH == 1) begin : gen_one
        always_ff @(posedge clk_i) if (step && moved_q) words_q <= column[y*WORD_W +: WORD_W];
      end else begin : gen_more
        always_ff @(posedge clk_i)
          if (step && moved_q) words_q <= {words_q[(DEPTH-1)*WORD_W-1:0], column[y*WORD_W +: WORD_W]};
      end
      for (x = 0; x < KW; x = x + 1) begin : gen_tap
        wire logic [WORD_W-1:0] tap = words_q[(KW - 1 - x) * DW * WORDS * WORD_W +: WORD_W];
        assign m_data_o[(y*KW + x)*WORD_W +: WORD_W] = mask_q[x] ? tap : PAD;
      end
    end
  endgenerate

  always_ff @(posedge clk_i) begin
    if (step) begin
      mask1_q <= mask;
      mask_q  <= mask1_q;
    end
  end
  assign m_valid_o = valid_q;
endmodule

`default_nettype wire

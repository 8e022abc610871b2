// Which rows of an image a window former holds. Rows come in at the bottom of a ring of ROWS slots; those under the
// windows of an output row are SPAN rows from row `base` on (negative in the padding above); what no later output row
// needs is freed behind each. The next image follows in the ring at once.
//
//   row_in  _/‾\_/‾\_/‾\_/‾\_/‾\_/‾\     3 rows, padding 1: row 0 of the output is ready behind the second row,
//   ready   _________/‾‾‾\_/‾‾‾\_/‾      and nothing is freed before row_out of the second
//   row_out _____________/‾\___/‾\_
`default_nettype none

module tsm_rows #(
    parameter integer H = 4,
    parameter integer OH = 4,
    parameter integer SPAN = 3,
    parameter integer STRIDE = 1,
    parameter integer TOP = 1,
    parameter integer ROWS = SPAN + STRIDE,
    parameter integer SLOT_W = ROWS > 1 ? $clog2(ROWS) : 1,
    // Signed; wide enough for every row above and below the image.
    parameter integer ROW_W = $clog2(H + OH * STRIDE + SPAN + TOP + ROWS + 1) + 1
) (
    input  wire logic                     clk_i,
    input  wire logic                     rst_ni,
    // Rows in: the last word of a row is taken, into the slot of rows that come in; full keeps the next one out
    input  wire logic                     row_in_i,
    output wire logic                     full_o,
    output wire logic [SLOT_W-1:0]        in_slot_o,
    // Rows out: everything for an output row is there; the last read for it happens
    output wire logic                     ready_o,
    input  wire logic                     row_out_i,
    output wire logic signed [ROW_W-1:0]  base_o,
    // Slot in which row `base` is, or would be
    output wire logic [SLOT_W-1:0]        base_slot_o
);
  localparam integer HELD_W = $clog2(ROWS + 1);
  localparam logic signed [ROW_W-1:0] LAST_BASE = ROW_W'((OH - 1) * STRIDE - TOP);
  localparam logic signed [ROW_W-1:0] FIRST_BASE = ROW_W'(-TOP);
  localparam integer ABOVE = (ROWS - TOP % ROWS) % ROWS;

  // Of the output row: row under its first tap, first row that it needs, first row that it does not, and what is freed
  // behind it, as the first row that the next one needs. Each row counted from the image's first, like those taken.
  logic [SLOT_W-1:0] in_slot_q, image_slot_q, base_slot_q;
  logic [HELD_W-1:0] held_q;
  logic signed [ROW_W-1:0] base_q, first_q, end_q, next_first_q, taken_q;
  logic freeing_q;

  function automatic signed [ROW_W-1:0] clipped(input signed [ROW_W-1:0] row);
    clipped = row < 0 ? '0 : row > ROW_W'(H) ? ROW_W'(H) : row;
  endfunction

  function automatic signed [ROW_W-1:0] next_first(input signed [ROW_W-1:0] base);
    next_first = base == LAST_BASE ? ROW_W'(H) : clipped(base + ROW_W'(STRIDE));
  endfunction

  wire logic last = base_q == LAST_BASE;
  wire logic signed [ROW_W-1:0] next_base = last ? FIRST_BASE : base_q + ROW_W'(STRIDE);
  wire logic [HELD_W-1:0] freed = HELD_W'(next_first_q - first_q);

  // Freed in the clock of the last read, or later where rows that nothing reads are yet to come.
  wire logic free = (freeing_q || row_out_i) && taken_q >= next_first_q;

  function automatic [SLOT_W-1:0] moved(input [SLOT_W-1:0] slot, input integer rows);
    integer sum;
    begin
      sum = 32'(slot) + rows % ROWS;
      moved = SLOT_W'(sum >= ROWS ? sum - ROWS : sum);
    end
  endfunction

  assign full_o = held_q == HELD_W'(ROWS);
  assign in_slot_o = in_slot_q;
  assign ready_o = !freeing_q && taken_q >= end_q;
  assign base_o = base_q;
  assign base_slot_o = base_slot_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      in_slot_q    <= '0;
      image_slot_q <= '0;
      base_slot_q  <= SLOT_W'(ABOVE);
      held_q       <= '0;
      base_q       <= FIRST_BASE;
      first_q      <= '0;
      end_q        <= clipped(FIRST_BASE + ROW_W'(SPAN));
      next_first_q <= next_first(FIRST_BASE);
      taken_q      <= '0;
      freeing_q    <= 1'b0;
    end else begin
      if (row_in_i) in_slot_q <= moved(in_slot_q, 1);
      held_q <= held_q + HELD_W'(row_in_i) - (free ? freed : '0);
      taken_q <= taken_q + ROW_W'(row_in_i) - (free && last ? ROW_W'(H) : '0);
      freeing_q <= (freeing_q || row_out_i) && !free;
      if (free) begin
        base_q  <= next_base;
        first_q <= last ? '0 : next_first_q;
        end_q   <= clipped(next_base + ROW_W'(SPAN));
        next_first_q <= next_first(next_base);
        base_slot_q <= last ? moved(image_slot_q, H + ABOVE) : moved(base_slot_q, STRIDE);
        if (last) image_slot_q <= moved(image_slot_q, H);
      end
    end
  end

`ifdef FORMAL
  // The counters agree: rows held lie between the first that is needed and the slot of the next, and fit the ring.
  wire logic signed [31:0] base_row = 32'(base_q);
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (held_q <= HELD_W'(ROWS));
      assert (32'(in_slot_q) < ROWS && 32'(image_slot_q) < ROWS && 32'(base_slot_q) < ROWS);
      assert (base_q >= ROW_W'(-TOP) && base_q <= LAST_BASE && (base_row + TOP) % STRIDE == 0);
      assert (first_q == clipped(base_q) && end_q == clipped(base_q + ROW_W'(SPAN)));
      assert (next_first_q == next_first(base_q) && taken_q == first_q + ROW_W'(held_q));
      assert ((32'(image_slot_q) + 32'(first_q) + 32'(held_q)) % ROWS == 32'(in_slot_q));
      assert ((32'(image_slot_q) + base_row + TOP + ABOVE) % ROWS == 32'(base_slot_q));
      assert (!(row_in_i && full_o));
      assert (!(row_out_i && !ready_o));
    end
  end
`endif
endmodule

`default_nettype wire

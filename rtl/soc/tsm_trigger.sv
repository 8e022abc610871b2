// Trigger with a queue of frames: samples_i samples each, the first of them pretrigger_i before the one that rose to the
// threshold. Samples come when they come; a frame never has a gap, nor shares samples with another.
//
//   samples --> line, pretrigger_i long --> while a frame lasts: queue of DEPTH samples --> out
//      +------> threshold: a frame begins
//
//   samples     . . . a b c d e f g . . .      d crosses: threshold between c and d, pretrigger_i = 2, samples_i = 5
//   frame             ^ b c d e f
//
// Only frames take room. A trigger that finds none for all of its frame, or whose frame would begin before the end of
// the last one or before run_i, is lost, and lost_o is high for a clock. Crossings inside a frame belong to it.
`default_nettype none

module tsm_trigger #(
    parameter integer DEPTH = 1024  // power of two
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // Configuration; steady while run_i
    input  wire logic        run_i,         // when it is low, all that is held is forgotten
    input  wire logic [15:0] samples_i,     // 1 to DEPTH
    input  wire logic [15:0] pretrigger_i,  // less than samples_i
    input  wire logic [15:0] threshold_i,   // signed
    // Samples in
    input  wire logic        s_valid_i,
    input  wire logic [15:0] s_data_i,      // signed
    output wire logic        lost_o,
    // One frame out: begins when take_i is high and a frame is there; drop_i gives the rest of it up
    input  wire logic        take_i,
    input  wire logic        drop_i,
    output wire logic        active_o,
    output wire logic        m_valid_o,
    input  wire logic        m_ready_i,
    output wire logic [15:0] m_data_o
);
  localparam integer AW = $clog2(DEPTH);
  localparam integer QW = AW + 1;  // numbers up to DEPTH; positions in the queue modulo 2 * DEPTH

  // Where frames begin. A frame takes room when it begins, and gives it back sample by sample.
  logic below_q;
  logic [15:0] seen_q, post_q;  // samples in the line, up to pretrigger_i; samples of the frame still to enter the queue
  logic [QW-1:0] room_q;
  wire logic come = run_i && s_valid_i;
  wire logic high = $signed(s_data_i) >= $signed(threshold_i);
  wire logic crossing = come && below_q && high;
  wire logic fire = crossing && post_q == '0 && seen_q == pretrigger_i && 16'(room_q) >= samples_i;
  wire logic fetch;
  assign lost_o = crossing && !fire && post_q <= pretrigger_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      below_q <= 1'b0;
      seen_q  <= '0;
      post_q  <= '0;
      room_q  <= QW'(DEPTH);
    end else if (!run_i) begin
      below_q <= 1'b0;
      seen_q  <= '0;
      post_q  <= '0;
      room_q  <= QW'(DEPTH);
    end else begin
      if (come) begin
        below_q <= !high;
        if (seen_q != pretrigger_i) seen_q <= seen_q + 1'b1;
        if (fire) post_q <= samples_i - 1'b1;
        else if (post_q != '0) post_q <= post_q - 1'b1;
      end
      room_q <= room_q - (fire ? QW'(samples_i) : '0) + QW'(fetch);
    end
  end

  // The line, then the queue: a clock each
  logic [15:0] line_q [0:DEPTH-1];
  logic [15:0] queue_q [0:DEPTH-1];
  logic [AW-1:0] place_q;  // of the next sample in the line
  logic [QW-1:0] wr_q, rd_q;
  logic copy1_q, copy2_q;
  logic [15:0] delayed_q, data_q;
  wire logic [AW-1:0] first = place_q - AW'(1) - AW'(pretrigger_i);

  always_ff @(posedge clk_i) if (come) line_q[place_q] <= s_data_i;
  always_ff @(posedge clk_i) if (copy1_q) delayed_q <= line_q[first];
  always_ff @(posedge clk_i) if (copy2_q) queue_q[wr_q[AW-1:0]] <= delayed_q;
  always_ff @(posedge clk_i) if (fetch) data_q <= queue_q[rd_q[AW-1:0]];

  // Frames out
  logic [QW-1:0] waiting_q;  // frames
  logic [15:0] left_q;
  logic active_q, dropped_q, valid_q;
  wire logic begin_frame = take_i && !active_q && waiting_q != '0 && !drop_i;
  wire logic step = !valid_q || m_ready_i;
  assign fetch = active_q && (step || dropped_q) && left_q != '0 && rd_q != wr_q;
  assign active_o = active_q && !dropped_q;
  assign m_valid_o = valid_q;
  assign m_data_o = data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {copy1_q, copy2_q, active_q, dropped_q, valid_q} <= '0;
      {wr_q, rd_q, waiting_q} <= '0;
      {left_q, place_q} <= '0;
    end else if (!run_i) begin
      {copy1_q, copy2_q, active_q, dropped_q, valid_q} <= '0;
      {wr_q, rd_q, waiting_q} <= '0;
      {left_q, place_q} <= '0;
    end else begin
      if (come) place_q <= place_q + 1'b1;
      copy1_q <= come && (fire || post_q != '0);
      copy2_q <= copy1_q;
      if (copy2_q) wr_q <= wr_q + 1'b1;
      if (fetch) rd_q <= rd_q + 1'b1;
      waiting_q <= waiting_q + QW'(fire) - QW'(begin_frame);

      if (step || drop_i) valid_q <= fetch && !dropped_q && !drop_i;
      if (drop_i && active_q) dropped_q <= 1'b1;
      if (begin_frame) begin
        active_q <= 1'b1;
        left_q   <= samples_i;
      end else if (fetch) begin
        left_q <= left_q - 1'b1;
      end else if (active_q && left_q == '0 && (step || dropped_q)) begin
        active_q  <= 1'b0;
        dropped_q <= 1'b0;
      end
    end
  end

`ifdef FORMAL
  // The queue holds no more than it has room for.
  always_ff @(posedge clk_i) if (rst_ni) assert (wr_q - rd_q <= QW'(DEPTH) && room_q <= QW'(DEPTH));
`endif
endmodule

`default_nettype wire

// Circular buffer of DEPTH samples with a trigger: frames of samples_i samples, the first of them pretrigger_i before
// the one that rose to the threshold. Samples come when they come; a frame never has a gap, nor shares samples with
// another: a trigger that finds no room for its frame, a full queue, or less than pretrigger_i samples since the last
// frame is lost, and lost_o is high for a clock. Crossings inside a frame belong to it.
//
//   samples     . . . a b c d e f g . . .      d crosses: threshold between c and d, pretrigger_i = 2, samples_i = 5
//   frame             ^ b c d e f
`default_nettype none

module tsm_trigger #(
    parameter integer DEPTH = 1024,  // power of two
    parameter integer QUEUE = 4
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // Configuration; steady while run_i
    input  wire logic        run_i,
    input  wire logic [15:0] samples_i,     // 1 to DEPTH
    input  wire logic [15:0] pretrigger_i,  // less than samples_i
    input  wire logic [15:0] threshold_i,   // signed
    // Samples in
    input  wire logic        s_valid_i,
    input  wire logic [15:0] s_data_i,      // signed
    output wire logic        lost_o,
    // One frame out: begins when take_i is high and a trigger waits; drop_i gives the rest of it up
    input  wire logic        take_i,
    input  wire logic        drop_i,
    output wire logic        active_o,
    output wire logic        m_valid_o,
    input  wire logic        m_ready_i,
    output wire logic [15:0] m_data_o
);
  localparam integer AW = $clog2(DEPTH);
  localparam integer QW = AW + 1;  // positions modulo 2 * DEPTH

  logic [15:0] mem_q [0:DEPTH-1];
  logic [QW-1:0] wr_q, rd_q;
  logic [15:0] seen_q, post_q, left_q, data_q;
  logic below_q, active_q, valid_q;

  // The oldest sample that a frame still needs.
  wire logic waiting;
  wire logic [QW-1:0] head;
  wire logic [QW-1:0] held = active_q || waiting ? wr_q - (active_q ? rd_q : head) : '0;
  wire logic [15:0] room = 16'(DEPTH) - 16'(held);
  wire logic write = run_i && s_valid_i && room != '0;

  wire logic high = $signed(s_data_i) >= $signed(threshold_i);
  wire logic crossing = run_i && s_valid_i && below_q && high && post_q == '0;
  wire logic enough = seen_q >= pretrigger_i && room >= samples_i - pretrigger_i;
  wire logic queue_ready;
  wire logic fire = crossing && enough && queue_ready;
  assign lost_o = crossing && !fire;

  wire logic begin_frame = take_i && !active_q && waiting && !drop_i;
  tsm_fifo #(.WIDTH(QW), .DEPTH(QUEUE)) u_triggers (
      .clk_i(clk_i), .rst_ni(rst_ni),
      .s_valid_i(crossing && enough), .s_ready_o(queue_ready), .s_data_i(wr_q - QW'(pretrigger_i)),
      .m_valid_o(waiting), .m_ready_i(begin_frame), .m_data_o(head)
  );

  wire logic step = !valid_q || m_ready_i;
  wire logic fetch = active_q && step && left_q != '0 && rd_q != wr_q;
  assign active_o = active_q;
  assign m_valid_o = valid_q;
  assign m_data_o = data_q;

  always_ff @(posedge clk_i) begin
    if (write) mem_q[wr_q[AW-1:0]] <= s_data_i;
    if (fetch) data_q <= mem_q[rd_q[AW-1:0]];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wr_q     <= '0;
      rd_q     <= '0;
      seen_q   <= '0;
      post_q   <= '0;
      left_q   <= '0;
      below_q  <= 1'b0;
      active_q <= 1'b0;
      valid_q  <= 1'b0;
    end else begin
      if (run_i && s_valid_i) below_q <= !high;
      if (write) wr_q <= wr_q + 1'b1;

      if (fire) begin
        post_q <= samples_i - pretrigger_i - 1'b1;
        seen_q <= '0;
      end else if (write && post_q != '0) begin
        post_q <= post_q - 1'b1;
      end else if (run_i && s_valid_i) begin
        if (!write) seen_q <= '0;
        else if (seen_q != '1) seen_q <= seen_q + 1'b1;
      end

      if (step) valid_q <= fetch;
      if (fetch) begin
        rd_q   <= rd_q + 1'b1;
        left_q <= left_q - 1'b1;
      end
      if (begin_frame) begin
        active_q <= 1'b1;
        rd_q     <= head;
        left_q   <= samples_i;
      end else if (active_q && left_q == '0 && step) begin
        active_q <= 1'b0;
      end
      if (drop_i) begin
        active_q <= 1'b0;
        valid_q  <= 1'b0;
      end
    end
  end

`ifdef FORMAL
  // What a frame still needs is never overwritten.
  always_ff @(posedge clk_i) if (rst_ni) assert (held <= QW'(DEPTH));
`endif
endmodule

`default_nettype wire

// First-in, first-out queue with valid/ready on both sides. A word that enters an empty queue leaves it one clock later.
//
//   clk     _/‾\_/‾\_/‾\_/‾\_/‾\_
//   s_valid _/‾‾‾‾‾‾‾\___________      s_ready is low while DEPTH words are held
//   m_valid _____/‾‾‾‾‾‾‾\_______      m_data stays while m_valid is high and m_ready low
`default_nettype none

module tsm_fifo #(
    parameter integer WIDTH = 8,
    parameter integer DEPTH = 2
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    // Words in
    input  wire logic             s_valid_i,
    output wire logic             s_ready_o,
    input  wire logic [WIDTH-1:0] s_data_i,
    // Words out
    output wire logic             m_valid_o,
    input  wire logic             m_ready_i,
    output wire logic [WIDTH-1:0] m_data_o
);
  localparam integer AW = DEPTH > 1 ? $clog2(DEPTH) : 1;
  localparam [AW-1:0] LAST = AW'(DEPTH - 1);

  logic [WIDTH-1:0] mem_q [0:DEPTH-1];
  logic [AW-1:0] wr_q, rd_q;
  logic [AW:0] level_q;

  wire logic push = s_valid_i && s_ready_o;
  wire logic pop = m_valid_o && m_ready_i;

  assign s_ready_o = level_q != (AW + 1)'(DEPTH);
  assign m_valid_o = level_q != '0;
  assign m_data_o  = mem_q[rd_q];

  always_ff @(posedge clk_i) begin
    if (push) mem_q[wr_q] <= s_data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wr_q <= '0;
      rd_q <= '0;
      level_q <= '0;
    end else begin
      if (push) wr_q <= wr_q == LAST ? '0 : wr_q + 1'b1;
      if (pop) rd_q <= rd_q == LAST ? '0 : rd_q + 1'b1;
      if (push && !pop) level_q <= level_q + 1'b1;
      if (pop && !push) level_q <= level_q - 1'b1;
    end
  end

`ifdef FORMAL
  // No overflow, no underflow, and the pointers agree with the level.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (level_q <= (AW + 1)'(DEPTH));
      assert (wr_q <= LAST && rd_q <= LAST);
      assert ((32'(rd_q) + 32'(level_q)) % DEPTH == 32'(wr_q));
      assert (!(push && level_q == (AW + 1)'(DEPTH)));
      assert (!(pop && level_q == '0));
    end
  end
`endif
endmodule

`default_nettype wire

// Two streams to one of their words side by side: a in the low bits. One clock.
`default_nettype none

module tsm_concat #(
    parameter integer A_W = 8,
    parameter integer B_W = 8
) (
    input  wire logic               clk_i,
    input  wire logic               rst_ni,
    // First stream
    input  wire logic               a_valid_i,
    output wire logic               a_ready_o,
    input  wire logic [A_W-1:0]     a_data_i,
    // Second stream
    input  wire logic               b_valid_i,
    output wire logic               b_ready_o,
    input  wire logic [B_W-1:0]     b_data_i,
    // Both
    output wire logic               m_valid_o,
    input  wire logic               m_ready_i,
    output wire logic [A_W+B_W-1:0] m_data_o
);
  logic valid_q;
  logic [A_W+B_W-1:0] both_q;
  wire logic step = !valid_q || m_ready_i;
  wire logic both = a_valid_i && b_valid_i;

  assign a_ready_o = step && both;
  assign b_ready_o = step && both;
  assign m_valid_o = valid_q;
  assign m_data_o  = both_q;

  always_ff @(posedge clk_i) begin
    if (step) both_q <= {b_data_i, a_data_i};
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (step) valid_q <= both;
  end
endmodule

`default_nettype wire

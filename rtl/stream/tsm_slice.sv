// A register with valid/ready on both sides: a word leaves it one clock after it came. Both sides may move in one clock.
`default_nettype none

module tsm_slice #(
    parameter integer WIDTH = 8
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
  logic valid_q;
  logic [WIDTH-1:0] data_q;

  assign s_ready_o = !valid_q || m_ready_i;
  assign m_valid_o = valid_q;
  assign m_data_o  = data_q;

  always_ff @(posedge clk_i) begin
    if (s_ready_o) data_q <= s_data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (s_ready_o) valid_q <= s_valid_i;
  end
endmodule

`default_nettype wire

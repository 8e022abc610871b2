// One stream to two: a word is gone once both have taken it; the first to take it need not wait for the other.
`default_nettype none

module tsm_fork #(
    parameter integer WIDTH = 8
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    // Words in
    input  wire logic             s_valid_i,
    output wire logic             s_ready_o,
    input  wire logic [WIDTH-1:0] s_data_i,
    // First copy
    output wire logic             a_valid_o,
    input  wire logic             a_ready_i,
    output wire logic [WIDTH-1:0] a_data_o,
    // Second copy
    output wire logic             b_valid_o,
    input  wire logic             b_ready_i,
    output wire logic [WIDTH-1:0] b_data_o
);
  logic a_done_q, b_done_q;
  wire logic a_done = a_done_q || a_ready_i;
  wire logic b_done = b_done_q || b_ready_i;

  assign a_valid_o = s_valid_i && !a_done_q;
  assign b_valid_o = s_valid_i && !b_done_q;
  assign a_data_o  = s_data_i;
  assign b_data_o  = s_data_i;
  assign s_ready_o = a_done && b_done;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      a_done_q <= 1'b0;
      b_done_q <= 1'b0;
    end else if (s_valid_i) begin
      a_done_q <= a_done && !s_ready_o;
      b_done_q <= b_done && !s_ready_o;
    end
  end
endmodule

`default_nettype wire

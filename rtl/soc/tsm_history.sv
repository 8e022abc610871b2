// The bytes of one channel in the last LANES columns, for every row of the window: a depthwise convolution reads each
// column once and still multiplies a whole row of the window in a clock.
//
//   lane 0 is the byte of this step, lane j the byte that row ky had j columns ago
`default_nettype none

module tsm_history #(
    parameter integer LANES = 8
) (
    input  wire logic               clk_i,
    input  wire logic               step_i,
    input  wire logic [2:0]         ky_i,
    input  wire logic [8:0]         byte_i,
    output wire logic [LANES*9-1:0] lanes_o
);
  logic [(LANES-1)*9-1:0] rows_q [0:7];

  integer i;
  initial for (i = 0; i < 8; i = i + 1) rows_q[i] = '0;

  assign lanes_o = {rows_q[ky_i], byte_i};

  always_ff @(posedge clk_i) begin
    if (step_i) rows_q[ky_i] <= lanes_o[(LANES-1)*9-1:0];
  end
endmodule

`default_nettype wire

// Two streams to one of weighted sums: sum[l] = a[l] * A_FACTOR + b[l] * B_FACTOR, for a residual addition.
// Lanes are X_W bits, signed where X_SIGNED says so; the ending behind it rounds and clamps. One clock.
// With MULTIPLIER = 0 products are sums of shifted lanes, for which no tool takes a DSP; factors are positive.
`default_nettype none

module tsm_join #(
    parameter integer LANES = 1,
    parameter integer X_W = 8,
    parameter integer A_SIGNED = 0,
    parameter integer B_SIGNED = 0,
    parameter integer A_FACTOR = 1,
    parameter integer B_FACTOR = 1,
    parameter integer MULTIPLIER = 1,
    parameter integer ACC_W = 32
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // First stream
    input  wire logic                   a_valid_i,
    output wire logic                   a_ready_o,
    input  wire logic [LANES*X_W-1:0]   a_data_i,
    // Second stream
    input  wire logic                   b_valid_i,
    output wire logic                   b_ready_o,
    input  wire logic [LANES*X_W-1:0]   b_data_i,
    // Sums out
    output wire logic                   m_valid_o,
    input  wire logic                   m_ready_i,
    output wire logic [LANES*ACC_W-1:0] m_data_o
);
  logic valid_q;
  logic [LANES*ACC_W-1:0] sum_q;
  wire logic step = !valid_q || m_ready_i;
  wire logic both = a_valid_i && b_valid_i;

  assign a_ready_o = step && both;
  assign b_ready_o = step && both;
  assign m_valid_o = valid_q;
  assign m_data_o  = sum_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (step) valid_q <= both;
  end

  genvar l;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : gen_lane
      wire logic signed [X_W:0] a = {A_SIGNED != 0 && a_data_i[l*X_W + X_W - 1], a_data_i[l*X_W +: X_W]};
      wire logic signed [X_W:0] b = {B_SIGNED != 0 && b_data_i[l*X_W + X_W - 1], b_data_i[l*X_W +: X_W]};
      logic signed [ACC_W-1:0] sum;
      if (MULTIPLIER != 0) begin : gen_multiplier
        assign sum = ACC_W'(a) * ACC_W'(A_FACTOR) + ACC_W'(b) * ACC_W'(B_FACTOR);
      end else begin : gen_adders
        integer i;
        always_comb begin
          sum = '0;
          for (i = 0; i < 31; i = i + 1) begin
            if ((A_FACTOR >> i) % 2 == 1) sum = sum + (ACC_W'(a) <<< i);
            if ((B_FACTOR >> i) % 2 == 1) sum = sum + (ACC_W'(b) <<< i);
          end
        end
      end
      always_ff @(posedge clk_i) begin
        if (step) sum_q[l*ACC_W +: ACC_W] <= sum;
      end
    end
  endgenerate
endmodule

`default_nettype wire

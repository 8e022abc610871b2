// Arithmetic unit: LANES products and their sum, one word a clock. Two clocks from inputs to sum.
//
//   KIND 0: x * w
//   KIND 1: x << S, negated if sign; w holds 1 << 4 | sign << 3 | S, and 0 is a weight of 0
//   KIND 2: agreeing bits - differing bits of bytes; 0 where bit 8 of x is 1
//
// Values of 16 bits (`wide_i`; not of KIND 2) have their low byte in an even lane, unsigned, and their high byte in the odd
// one behind it: what odd lanes add counts 256 times. The two sums are made apart, so that only the last addition knows.
`default_nettype none

module tsm_mac #(
    parameter integer LANES = 8,
    parameter integer KIND = 0
) (
    input  wire logic                                clk_i,
    input  wire logic [LANES*9-1:0]                  x_i,  // 9 bits a lane, signed: int8 and uint8 alike
    input  wire logic [LANES*8-1:0]                  w_i,
    input  wire logic                                wide_i,  // steady
    output      logic signed [23+$clog2(LANES)-1:0]  sum_o
);
  localparam integer HALF_W = 16 + $clog2(LANES) - 1;
  localparam integer SUM_W = 23 + $clog2(LANES);

  logic [LANES*16-1:0] term_q;
  logic signed [HALF_W-1:0] even, odd;
  integer s;

  genvar l;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : gen_lane
      wire logic signed [15:0] term;
      if (KIND == 2) begin : gen_bits
        wire logic signed [15:0] agreeing;
        tsm_dot #(.SIMD(8), .KIND(2), .X_W(1), .W_W(1), .ACC_W(16)) u_dot (
            .x_i(x_i[l*9 +: 8]), .w_i(w_i[l*8 +: 8]), .sum_o(agreeing)
        );
        assign term = x_i[l*9 + 8] ? 16'sd0 : agreeing;
      end else if (KIND == 1) begin : gen_shift
        wire logic unused = ^w_i[l*8 + 5 +: 3];
        tsm_dot #(.SIMD(1), .KIND(1), .X_W(9), .X_SIGNED(1), .W_W(4), .ACC_W(16)) u_dot (
            .x_i(w_i[l*8 + 4] ? x_i[l*9 +: 9] : 9'd0), .w_i(w_i[l*8 +: 4]), .sum_o(term)
        );
      end else begin : gen_multiply
        tsm_dot #(.SIMD(1), .KIND(0), .X_W(9), .X_SIGNED(1), .W_W(8), .ACC_W(16)) u_dot (
            .x_i(x_i[l*9 +: 9]), .w_i(w_i[l*8 +: 8]), .sum_o(term)
        );
      end
      always_ff @(posedge clk_i) term_q[l*16 +: 16] <= term;
    end
  endgenerate

  always_comb begin
    {even, odd} = '0;
    for (s = 0; s < LANES; s = s + 2) begin
      even = even + HALF_W'($signed(term_q[s*16 +: 16]));
      odd = odd + HALF_W'($signed(term_q[s*16 + 16 +: 16]));
    end
  end

  wire logic signed [SUM_W-1:0] odd_sum = wide_i ? {odd, 8'd0} : SUM_W'(odd);

  always_ff @(posedge clk_i) sum_o <= SUM_W'(even) + odd_sum;
endmodule

`default_nettype wire

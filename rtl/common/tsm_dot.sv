// The sum of SIMD products in one clock, without registers.
//
//   KIND 0: x * w                           x of X_W bits, w of W_W bits, signed
//   KIND 1: x << S, negated if sign         w is sign << (W_W-1) | S
//   KIND 2: +1 where x and w agree, else -1 one bit each, 1 is -1
`default_nettype none

module tsm_dot #(
    parameter integer SIMD = 1,
    parameter integer KIND = 0,
    parameter integer X_W = 8,
    parameter integer X_SIGNED = 0,
    parameter integer W_W = 8,
    parameter integer ACC_W = 32
) (
    input  wire logic [SIMD*X_W-1:0]   x_i,
    input  wire logic [SIMD*W_W-1:0]   w_i,
    output      logic signed [ACC_W-1:0] sum_o
);
  integer s;
  logic signed [ACC_W-1:0] term;

  generate
    if (KIND == 2) begin : gen_xnor
      always_comb begin
        term = '0;
        for (s = 0; s < SIMD; s = s + 1) term = term + ACC_W'(x_i[s] ^ w_i[s]);
        sum_o = ACC_W'(SIMD) - (term <<< 1);
      end
    end else if (KIND == 1) begin : gen_shift
      logic signed [X_W:0] x;
      always_comb begin
        sum_o = '0;
        x = '0;
        term = '0;
        for (s = 0; s < SIMD; s = s + 1) begin
          x = {X_SIGNED != 0 && x_i[s*X_W + X_W - 1], x_i[s*X_W +: X_W]};
          term = ACC_W'(x) <<< w_i[s*W_W +: W_W-1];
          sum_o = w_i[s*W_W + W_W - 1] ? sum_o - term : sum_o + term;
        end
      end
    end else begin : gen_multiply
      logic signed [X_W:0] x;
      logic signed [W_W-1:0] w;
      always_comb begin
        sum_o = '0;
        term = '0;
        w = '0;
        x = '0;
        for (s = 0; s < SIMD; s = s + 1) begin
          x = {X_SIGNED != 0 && x_i[s*X_W + X_W - 1], x_i[s*X_W +: X_W]};
          w = w_i[s*W_W +: W_W];
          term = x * w;
          sum_o = sum_o + term;
        end
      end
    end
  endgenerate
endmodule

`default_nettype wire

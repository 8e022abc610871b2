// SIMD products in one clock, without registers: the sum of all, or of each GROUP of them, the first in the low bits.
//
//   KIND 0: x * w                           x of X_W bits, w of W_W bits, signed
//   KIND 1: x << S, negated if sign         w is sign << (W_W-1) | S
//   KIND 2: +1 where x and w agree, else -1 one bit each, 1 is -1
//   KIND 3: x << S, inverted if sign        as KIND 1, and one less if negative
`default_nettype none

module tsm_dot #(
    parameter integer SIMD = 1,
    parameter integer GROUP = SIMD,
    parameter integer KIND = 0,
    parameter integer X_W = 8,
    parameter integer X_SIGNED = 0,
    parameter integer W_W = 8,
    parameter integer ACC_W = 32
) (
    input  wire logic [SIMD*X_W-1:0]                    x_i,
    input  wire logic [SIMD*W_W-1:0]                    w_i,
    output wire logic [(SIMD+GROUP-1)/GROUP*ACC_W-1:0]  sum_o
);
  localparam integer SUMS_W = (SIMD + GROUP - 1) / GROUP * ACC_W;

  generate
    if (KIND == 2) begin : gen_xnor
      function automatic [SUMS_W-1:0] sums(input [SIMD-1:0] xs, input [SIMD-1:0] ws);
        integer s;
        logic [ACC_W-1:0] count;
        begin
          sums = '0;
          count = '0;
          for (s = 0; s < SIMD; s = s + 1) begin
            if (s % GROUP == 0) count = '0;
            count = count + ACC_W'(xs[s] ^ ws[s]);
            if (s % GROUP == GROUP - 1 || s == SIMD - 1)
              sums[s/GROUP*ACC_W +: ACC_W] = ACC_W'(s % GROUP + 1) - (count << 1);
          end
        end
      endfunction
      assign sum_o = sums(x_i, w_i);
    end else begin : gen_products
      function automatic [SUMS_W-1:0] sums(input [SIMD*X_W-1:0] xs, input [SIMD*W_W-1:0] ws);
        integer s;
        logic signed [X_W:0] x;
        logic signed [W_W-1:0] w;
        logic signed [ACC_W-1:0] term, sum;
        begin
          sums = '0;
          sum = '0;
          for (s = 0; s < SIMD; s = s + 1) begin
            x = {X_SIGNED != 0 && xs[s*X_W + X_W - 1], xs[s*X_W +: X_W]};
            w = ws[s*W_W +: W_W];
            term = KIND == 0 ? x * w : ACC_W'(x) <<< (w & ~(W_W'(1) << (W_W - 1)));
            if (s % GROUP == 0) sum = '0;
            if (KIND == 1 && w < 0) sum = sum - term;
            else if (KIND == 3 && w < 0) sum = sum + ~term;
            else sum = sum + term;
            if (s % GROUP == GROUP - 1 || s == SIMD - 1) sums[s/GROUP*ACC_W +: ACC_W] = sum;
          end
        end
      endfunction
      assign sum_o = sums(x_i, w_i);
    end
  endgenerate
endmodule

`default_nettype wire

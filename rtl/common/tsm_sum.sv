// The sum of TERMS signed numbers: a tree of adders, each with a register behind it. $clog2(TERMS) clocks, in which
// step_i is high; of a single number it is a wire.
//
//   node 1 = node 2 + node 3 = (node 4 + node 5) + (node 6 + node 7)      leaves: the terms, then zeros
`default_nettype none

module tsm_sum #(
    parameter integer TERMS = 4,
    parameter integer TERM_W = 16,
    parameter integer SUM_W = 20
) (
    input  wire logic                     clk_i,
    input  wire logic                     step_i,
    input  wire logic [TERMS*TERM_W-1:0]  terms_i,
    output wire logic [SUM_W-1:0]         sum_o
);
  localparam integer LEAVES = 1 << $clog2(TERMS);

  // The leaves, a number each.
  function automatic [LEAVES*SUM_W-1:0] extended(input [TERMS*TERM_W-1:0] terms);
    integer t;
    begin
      extended = '0;
      for (t = 0; t < TERMS; t = t + 1) extended[t*SUM_W +: SUM_W] = SUM_W'($signed(terms[t*TERM_W +: TERM_W]));
    end
  endfunction

  generate
    if (LEAVES == 1) begin : gen_wire
      wire logic unused = &{1'b0, clk_i, step_i};
      assign sum_o = extended(terms_i);
    end else begin : gen_adders
      // Node n in bits (n - 1) * SUM_W and up; those that are no leaf have a register.
      function automatic [(LEAVES-1)*SUM_W-1:0] sums(input [(2*LEAVES-1)*SUM_W-1:0] nodes);
        integer n;
        begin
          for (n = 1; n < LEAVES; n = n + 1)
            sums[(n-1)*SUM_W +: SUM_W] = nodes[(2*n-1)*SUM_W +: SUM_W] + nodes[2*n*SUM_W +: SUM_W];
        end
      endfunction
      logic [(LEAVES-1)*SUM_W-1:0] sums_q;
      always_ff @(posedge clk_i) begin
        if (step_i) sums_q <= sums({extended(terms_i), sums_q});
      end
      assign sum_o = sums_q[SUM_W-1:0];
    end
  endgenerate
endmodule

`default_nettype wire

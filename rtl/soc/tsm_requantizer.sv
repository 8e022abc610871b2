// Requantizer: docs/numbers.md, for any accumulator, multiplier and shift. One value a clock, six clocks.
//
//   pair 0: y = clamp((acc * m_a + 2**(s-1)) >> s, lo, hi) + zero      acc int32, m_a positive int32, s 1 to 62
//   pair 1: the same of acc[15:0] * m_a + acc[31:16] * m_b             signed halves of at most 9 bits
//
// Both are four products of 17 bits: the halves of acc with the halves of the multipliers.
//   threshold: y = acc >= 0 ? 1 : -1
// y has 16 bits; of a result of 8 the lower ones count, and `zero` is added to these alone.
`default_nettype none

module tsm_requantizer (
    input  wire logic        clk_i,
    input  wire logic        pair_i,
    input  wire logic        threshold_i,
    input  wire logic [31:0] acc_i,
    input  wire logic [31:0] m_a_i,
    input  wire logic [31:0] m_b_i,
    input  wire logic [5:0]  shift_i,
    input  wire logic [15:0] lo_i,
    input  wire logic [15:0] hi_i,
    input  wire logic [7:0]  zero_i,
    output      logic [15:0] y_o
);
  logic signed [16:0] low1_q, high1_q;  // halves of acc
  logic signed [16:0] f0_q, f1_q, f2_q, f3_q;  // what they are multiplied with
  logic signed [33:0] p0_q, p1_q, p2_q, p3_q;
  logic signed [63:0] base_q, total_q, half_q;
  logic signed [34:0] middle_q;
  logic signed [16:0] scaled_q;  // limited to 17 bits
  logic [3:0] negative_q;

  wire logic signed [63:0] shifted = total_q >>> shift_i;
  wire logic fits = &shifted[63:16] || !(|shifted[63:16]);
  wire logic signed [16:0] lo = {lo_i[15], lo_i};
  wire logic signed [16:0] hi = {hi_i[15], hi_i};

  always_ff @(posedge clk_i) begin
    // 1: operands. The outer products stand 32 bits apart, or both at 0 for a pair; the inner ones at bit 16.
    low1_q  <= {pair_i && acc_i[15], acc_i[15:0]};
    high1_q <= {acc_i[31], acc_i[31:16]};
    f0_q <= {1'b0, m_a_i[15:0]};
    f1_q <= pair_i ? {m_a_i[31], m_a_i[31:16]} : {1'b0, m_a_i[31:16]};
    f2_q <= pair_i ? {m_b_i[31], m_b_i[31:16]} : {1'b0, m_a_i[15:0]};
    f3_q <= pair_i ? {1'b0, m_b_i[15:0]} : {1'b0, m_a_i[31:16]};
    half_q <= 64'd1 << (shift_i - 6'd1);
    // 2
    p0_q <= low1_q * f0_q;
    p1_q <= low1_q * f1_q;
    p2_q <= high1_q * f2_q;
    p3_q <= high1_q * f3_q;
    // 3
    base_q <= (pair_i ? 64'(p0_q) + 64'(p3_q) : {p3_q[31:0], p0_q[31:0]}) + half_q;
    middle_q <= 35'(p1_q) + 35'(p2_q);
    // 4
    total_q <= base_q + (64'(middle_q) <<< 16);
    // 5
    scaled_q <= fits ? shifted[16:0] : {shifted[63], {16{!shifted[63]}}};
    negative_q <= {negative_q[2:0], high1_q[16]};
    // 6
    if (threshold_i) y_o <= negative_q[3] ? 16'hffff : 16'h0001;
    else if (scaled_q < lo) y_o <= {lo_i[15:8], lo_i[7:0] + zero_i};
    else if (scaled_q > hi) y_o <= {hi_i[15:8], hi_i[7:0] + zero_i};
    else y_o <= {scaled_q[15:8], scaled_q[7:0] + zero_i};
  end
endmodule

`default_nettype wire

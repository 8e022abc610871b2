// Matrix-vector unit: acc[o] = bias[o] + sum over k of x[k] * weight[o][k], folded over outputs and inputs.
//
// Each clock multiplies SIMD inputs with the weights of PE outputs. A vector has INPUT_FOLDS words of SIMD inputs; the
// first of OUTPUT_FOLDS passes takes them from the stream and keeps them, the others read them again. With HOLD = 1
// (INPUT_FOLDS is 1) it keeps nothing: the word stays offered until the last pass takes it.
//
//   clock      | i0 | i1 | i2 | i0 | i1 | i2 |      INPUT_FOLDS = 3, OUTPUT_FOLDS = 2
//   s_ready    |  1 |  1 |  1 |  0 |  0 |  0 |
//   m_valid                   |PE0..         |PE..  one word of PE accumulators behind each pass
//
//   KIND 0: multiply          x of X_W bits (signed if X_SIGNED), weight of W_W bits, signed
//   KIND 1: shift and add     weight is sign << (W_W-1) | S: x << S, negated if sign
//   KIND 2: XNOR and popcount x and weight of one bit, 1 is -1: +1 where they agree, else -1
//
// WEIGHTS has a line for each clock of a vector, output 0's input 0 in the low bits; BIASES a line for each pass.
`default_nettype none

module tsm_mvu #(
    parameter integer PE = 1,
    parameter integer SIMD = 1,
    parameter integer INPUT_FOLDS = 1,
    parameter integer OUTPUT_FOLDS = 1,
    parameter integer HOLD = 0,
    parameter integer KIND = 0,
    parameter integer X_W = 8,
    parameter integer X_SIGNED = 0,
    parameter integer W_W = 8,
    parameter integer ACC_W = 32,
    parameter WEIGHTS = "weights.mem",
    parameter BIASES = "biases.mem"
) (
    input  wire logic                 clk_i,
    input  wire logic                 rst_ni,
    // Vectors in
    input  wire logic                 s_valid_i,
    output wire logic                 s_ready_o,
    input  wire logic [SIMD*X_W-1:0]  s_data_i,
    // Accumulators out
    output wire logic                 m_valid_o,
    input  wire logic                 m_ready_i,
    output wire logic [PE*ACC_W-1:0]  m_data_o,
    // High in each clock in which the multipliers work
    output wire logic                 busy_o
);
  localparam integer IW = INPUT_FOLDS > 1 ? $clog2(INPUT_FOLDS) : 1;
  localparam integer OW = OUTPUT_FOLDS > 1 ? $clog2(OUTPUT_FOLDS) : 1;
  localparam integer AW = INPUT_FOLDS * OUTPUT_FOLDS > 1 ? $clog2(INPUT_FOLDS * OUTPUT_FOLDS) : 1;

  logic [PE*SIMD*W_W-1:0] weight_rom [0:INPUT_FOLDS*OUTPUT_FOLDS-1];
  logic [PE*ACC_W-1:0] bias_rom [0:OUTPUT_FOLDS-1];
  initial $readmemh(WEIGHTS, weight_rom);
  initial $readmemh(BIASES, bias_rom);

  logic [IW-1:0] i_q;
  logic [OW-1:0] o_q;
  logic [AW-1:0] address_q;
  wire logic first_pass = o_q == '0;
  wire logic last_i = i_q == IW'(INPUT_FOLDS - 1);
  wire logic last_o = o_q == OW'(OUTPUT_FOLDS - 1);

  // Stage 1 holds a word of inputs and its weights, stage 2 the sums of its products, stage 3 the accumulators.
  logic valid1_q, start1_q, end1_q, valid2_q, start2_q, end2_q, valid3_q;
  logic [SIMD*X_W-1:0] x1_q;
  logic [PE*SIMD*W_W-1:0] w1_q;
  logic [PE*ACC_W-1:0] bias1_q, bias2_q, sum2_q, acc_q;

  // A finished accumulator that nobody takes stops the sums behind it only where they would overwrite it.
  wire logic step = !valid3_q || m_ready_i || !valid2_q;
  wire logic from_stream = HOLD != 0 || first_pass;
  wire logic work = step && (!from_stream || s_valid_i);
  wire logic [SIMD*X_W-1:0] x;

  assign s_ready_o = step && (HOLD != 0 ? last_o : first_pass);
  assign busy_o = work;
  assign m_valid_o = valid3_q;
  assign m_data_o = acc_q;

  generate
    if (HOLD != 0 || OUTPUT_FOLDS == 1) begin : gen_stream
      assign x = s_data_i;
    end else begin : gen_kept
      logic [SIMD*X_W-1:0] kept_q [0:INPUT_FOLDS-1];
      always_ff @(posedge clk_i) begin
        if (work && first_pass) kept_q[i_q] <= s_data_i;
      end
      assign x = first_pass ? s_data_i : kept_q[i_q];
    end
  endgenerate

  always_ff @(posedge clk_i) begin
    if (step) begin
      x1_q    <= x;
      w1_q    <= weight_rom[address_q];
      bias1_q <= bias_rom[o_q];
      bias2_q <= bias1_q;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      i_q <= '0;
      o_q <= '0;
      address_q <= '0;
      {valid1_q, start1_q, end1_q, valid2_q, start2_q, end2_q, valid3_q} <= '0;
    end else begin
      if (m_ready_i) valid3_q <= 1'b0;
      if (step) begin
        {valid1_q, start1_q, end1_q} <= {work, i_q == '0, last_i};
        {valid2_q, start2_q, end2_q} <= {valid1_q, start1_q, end1_q};
        if (valid2_q) valid3_q <= end2_q;
      end
      if (work) begin
        i_q <= last_i ? '0 : i_q + 1'b1;
        if (last_i) o_q <= last_o ? '0 : o_q + 1'b1;
        address_q <= last_i && last_o ? '0 : address_q + 1'b1;
      end
    end
  end

  genvar p;
  generate
    for (p = 0; p < PE; p = p + 1) begin : gen_pe
      wire logic [SIMD*W_W-1:0] w = w1_q[p*SIMD*W_W +: SIMD*W_W];
      wire logic signed [ACC_W-1:0] sum;

      tsm_dot #(
          .SIMD(SIMD), .KIND(KIND), .X_W(X_W), .X_SIGNED(X_SIGNED), .W_W(W_W), .ACC_W(ACC_W)
      ) u_dot (
          .x_i(x1_q), .w_i(w), .sum_o(sum)
      );

      always_ff @(posedge clk_i) begin
        if (step) begin
          sum2_q[p*ACC_W +: ACC_W] <= sum;
          if (valid2_q) begin
            acc_q[p*ACC_W +: ACC_W] <= sum2_q[p*ACC_W +: ACC_W]
                                     + (start2_q ? bias2_q[p*ACC_W +: ACC_W] : acc_q[p*ACC_W +: ACC_W]);
          end
        end
      end
    end
  endgenerate
endmodule

`default_nettype wire

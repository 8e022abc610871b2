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
//   KIND 1: shift and add     weight is sign << (W_W-1) | S: x << S, or ~(x << S) if sign
//   KIND 2: XNOR and popcount x and weight of one bit, 1 is -1: +1 where they agree, else -1
//
// WEIGHTS has a line for each clock of a vector, output 0's input 0 in the low bits; BIASES a line for each pass.
// With KIND 1 a bias holds one more for each weight with a sign: -v is ~v + 1.
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
  logic first_pass_q;
  wire logic last_i = i_q == IW'(INPUT_FOLDS - 1);
  wire logic last_o = o_q == OW'(OUTPUT_FOLDS - 1);

  // Stage 1 holds a word of inputs and its weights, stage 2 its products, the last stage their sum. Bits are GROUP to a
  // product. Behind them stand the accumulators.
  localparam integer GROUP = KIND == 2 ? 4 : 1;
  localparam integer TERMS = (SIMD + GROUP - 1) / GROUP;
  localparam integer STAGES = 2 + $clog2(TERMS);
  localparam integer EXACT_W = KIND == 0 ? X_W + W_W : KIND == 1 ? X_W + (1 << (W_W - 1)) : 4;
  localparam integer TERM_W = EXACT_W < ACC_W ? EXACT_W : ACC_W;

  // Of each stage: a word is in it, the first of a vector, the last of one.
  logic [STAGES:1] valid_q, start_q, end_q;
  logic accumulated_q;
  logic [OW-1:0] bias_pass_q;
  logic [SIMD*X_W-1:0] x_q;
  logic [PE*SIMD*W_W-1:0] w_q;
  logic [PE*ACC_W-1:0] bias_q, acc_q;

  // A finished accumulator that nobody takes stops the sums behind it only where they would overwrite it.
  wire logic step = !accumulated_q || m_ready_i || !valid_q[STAGES];
  wire logic from_stream = HOLD != 0 || first_pass_q;
  wire logic work = step && (!from_stream || s_valid_i);
  wire logic [SIMD*X_W-1:0] x;

  assign s_ready_o = step && (HOLD != 0 ? last_o : first_pass_q);
  assign busy_o = work;
  assign m_valid_o = accumulated_q;
  assign m_data_o = acc_q;

  generate
    if (HOLD != 0 || OUTPUT_FOLDS == 1) begin : gen_stream
      assign x = s_data_i;
    end else begin : gen_kept
      logic [SIMD*X_W-1:0] kept_q [0:INPUT_FOLDS-1];
      always_ff @(posedge clk_i) begin
        if (work && first_pass_q) kept_q[i_q] <= s_data_i;
      end
      assign x = first_pass_q ? s_data_i : kept_q[i_q];
    end
  endgenerate

  always_ff @(posedge clk_i) begin
    if (step) begin
      x_q    <= x;
      w_q    <= weight_rom[address_q];
      bias_q <= bias_rom[bias_pass_q];  // of the word that goes into the last stage
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      i_q <= '0;
      o_q <= '0;
      first_pass_q <= 1'b1;
      address_q <= '0;
      bias_pass_q <= '0;
      {valid_q, start_q, end_q, accumulated_q} <= '0;
    end else begin
      if (m_ready_i) accumulated_q <= 1'b0;
      if (step) begin
        valid_q <= {valid_q[STAGES-1:1], work};
        start_q <= {start_q[STAGES-1:1], i_q == '0};
        end_q   <= {end_q[STAGES-1:1], last_i};
        if (valid_q[STAGES]) accumulated_q <= end_q[STAGES];
        if (valid_q[STAGES-1] && end_q[STAGES-1])
          bias_pass_q <= bias_pass_q == OW'(OUTPUT_FOLDS - 1) ? '0 : bias_pass_q + 1'b1;
      end
      if (work) begin
        i_q <= last_i ? '0 : i_q + 1'b1;
        if (last_i) begin
          o_q <= last_o ? '0 : o_q + 1'b1;
          first_pass_q <= last_o;
        end
        address_q <= last_i && last_o ? '0 : address_q + 1'b1;
      end
    end
  end

  genvar p;
  generate
    for (p = 0; p < PE; p = p + 1) begin : gen_pe
      wire logic [TERMS*TERM_W-1:0] terms;
      logic [TERMS*TERM_W-1:0] terms_q;
      wire logic [ACC_W-1:0] sum;

      tsm_dot #(
          .SIMD(SIMD), .GROUP(GROUP), .KIND(KIND == 1 ? 3 : KIND), .X_W(X_W), .X_SIGNED(X_SIGNED), .W_W(W_W),
          .ACC_W(TERM_W)
      ) u_dot (
          .x_i(x_q), .w_i(w_q[p*SIMD*W_W +: SIMD*W_W]), .sum_o(terms)
      );

      always_ff @(posedge clk_i) begin
        if (step) terms_q <= terms;
      end

      tsm_sum #(.TERMS(TERMS), .TERM_W(TERM_W), .SUM_W(ACC_W)) u_sum (
          .clk_i(clk_i), .step_i(step), .terms_i(terms_q), .sum_o(sum)
      );

      always_ff @(posedge clk_i) begin
        if (step && valid_q[STAGES]) begin
          acc_q[p*ACC_W +: ACC_W] <= sum + (start_q[STAGES] ? bias_q[p*ACC_W +: ACC_W] : acc_q[p*ACC_W +: ACC_W]);
        end
      end
    end
  endgenerate
endmodule

`default_nettype wire

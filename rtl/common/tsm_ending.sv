// How accumulators become stored outputs: docs/numbers.md, exactly.
//
//   THRESHOLD = 0:  y = clamp((acc * factor[c] + OFFSET) >> SHIFT, LO, HI)
//   THRESHOLD = 1:  y = acc < factor[c]          (one bit: 1 is the value -1)
//
// OFFSET is 2**(SHIFT-1), so that halves round up, and what zero points come to: that of the output times 2**SHIFT, and
// those of inputs that are still in the accumulators.
//
// With MULTIPLIER = 0 the product is a sum of shifted accumulators, for which no tool takes a DSP.
//
// A word holds LANES accumulators; word f of a pixel holds channels f * LANES and up, for FOLDS words a pixel. The
// factors stand in FILE, one line a fold, lane 0 in the low bits. Two clocks from input to output; a sum of shifted
// accumulators takes $clog2(FACTOR_W) in place of the first.
`default_nettype none

module tsm_ending #(
    parameter integer LANES = 1,
    parameter integer FOLDS = 1,
    parameter integer ACC_W = 32,
    parameter integer FACTOR_W = 16,
    parameter integer SHIFT = 1,
    parameter signed [63:0] OFFSET = 64'sd1 <<< (SHIFT - 1),
    parameter integer LO = 0,
    parameter integer HI = 255,
    parameter integer OUT_W = 8,
    parameter integer THRESHOLD = 0,
    parameter integer MULTIPLIER = 1,
    parameter FILE = "factors.mem"
) (
    input  wire logic                    clk_i,
    input  wire logic                    rst_ni,
    // Accumulators in
    input  wire logic                    s_valid_i,
    output wire logic                    s_ready_o,
    input  wire logic [LANES*ACC_W-1:0]  s_data_i,
    // Stored outputs out
    output wire logic                    m_valid_o,
    input  wire logic                    m_ready_i,
    output wire logic [LANES*OUT_W-1:0]  m_data_o
);
  // The sum before the shift fits one bit more than the product and OFFSET do; LO and HI take one more than the output.
  localparam integer OFFSET_W = $clog2((OFFSET < 0 ? -OFFSET : OFFSET) + 1) + 1;
  localparam integer SUM_W = (ACC_W + FACTOR_W > OFFSET_W ? ACC_W + FACTOR_W : OFFSET_W) + 1;
  localparam integer PRODUCT_W = THRESHOLD != 0 ? ACC_W + FACTOR_W + 1 : SUM_W > OUT_W ? SUM_W : OUT_W + 1;
  localparam integer CLOCKS = MULTIPLIER != 0 ? 1 : $clog2(FACTOR_W);
  localparam integer FW = FOLDS > 1 ? $clog2(FOLDS) : 1;

  logic [LANES*FACTOR_W-1:0] rom [0:FOLDS-1];
  initial $readmemh(FILE, rom);

  logic [FW-1:0] fold_q;
  logic [CLOCKS:1] valid1_q;
  logic valid2_q;
  logic [LANES*OUT_W-1:0] out_q;

  wire logic step2 = !valid2_q || m_ready_i;
  wire logic step1 = !valid1_q[CLOCKS] || step2;
  wire logic [LANES*FACTOR_W-1:0] factors = rom[fold_q];

  assign s_ready_o = step1;
  assign m_valid_o = valid2_q;
  assign m_data_o  = out_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fold_q   <= '0;
      valid1_q <= '0;
      valid2_q <= 1'b0;
    end else begin
      if (step1) valid1_q <= CLOCKS'({valid1_q, s_valid_i});
      if (step2) valid2_q <= valid1_q[CLOCKS];
      if (s_valid_i && step1) fold_q <= fold_q == FW'(FOLDS - 1) ? '0 : fold_q + 1'b1;
    end
  end

  genvar l;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : gen_lane
      wire logic signed [ACC_W-1:0] acc = s_data_i[l*ACC_W +: ACC_W];
      wire logic signed [FACTOR_W-1:0] factor = factors[l*FACTOR_W +: FACTOR_W];
      logic signed [PRODUCT_W-1:0] product_q;

      if (THRESHOLD != 0) begin : gen_threshold
        always_ff @(posedge clk_i) begin
          if (step1) product_q <= PRODUCT_W'(acc) - PRODUCT_W'(factor);
          if (step2) out_q[l*OUT_W +: OUT_W] <= OUT_W'(product_q[PRODUCT_W-1]);
        end
      end else begin : gen_requantize
        wire logic signed [PRODUCT_W-1:0] rounded = (product_q + PRODUCT_W'(OFFSET)) >>> SHIFT;
        if (MULTIPLIER != 0) begin : gen_multiplier
          always_ff @(posedge clk_i) begin
            if (step1) product_q <= acc * factor;
          end
        end else begin : gen_adders
          // A shifted accumulator for each bit of the factor, the last of which counts negative.
          wire logic signed [PRODUCT_W-1:0] wide = PRODUCT_W'(acc);
          logic [FACTOR_W*PRODUCT_W-1:0] shifted;
          integer b;
          always_comb begin
            shifted = '0;
            for (b = 0; b < FACTOR_W; b = b + 1)
              if (factor[b])
                shifted[b*PRODUCT_W +: PRODUCT_W] = (b == FACTOR_W - 1 ? -wide : wide) <<< b;
          end
          tsm_sum #(.TERMS(FACTOR_W), .TERM_W(PRODUCT_W), .SUM_W(PRODUCT_W)) u_sum (
              .clk_i(clk_i), .step_i(step1), .terms_i(shifted), .sum_o(product_q)
          );
        end
        always_ff @(posedge clk_i) begin
          if (step2) begin
            if (rounded < PRODUCT_W'(LO)) out_q[l*OUT_W +: OUT_W] <= OUT_W'(LO);
            else if (rounded > PRODUCT_W'(HI)) out_q[l*OUT_W +: OUT_W] <= OUT_W'(HI);
            else out_q[l*OUT_W +: OUT_W] <= rounded[OUT_W-1:0];
          end
        end
      end
    end
  endgenerate
endmodule

`default_nettype wire

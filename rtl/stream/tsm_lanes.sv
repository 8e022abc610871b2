// Reduces TAPS pixels to one, lane by lane: the pools and depthwise convolution. A word holds PARALLEL taps of LANES
// channels, tap by tap; FOLDS groups of LANES channels make a pixel.
//
//   PIXELS_OUTER = 0:  for fold, for tap     what a window former gives: all words of a window, then those of the next
//   PIXELS_OUTER = 1:  for tap, for fold     an image as it comes, for a pool over all of it
//
//   OP 0: maximum, OP 3: minimum, of X_W bits (signed if X_SIGNED); ACC_W is X_W
//   OP 1: START + sum
//   OP 2: bias[c] + sum of x * weight[c][tap], W_W bits, signed; WEIGHTS has a line for each word of each fold
//
// Three clocks: the word and its weights, its taps reduced to one, the accumulator.
`default_nettype none

module tsm_lanes #(
    parameter integer LANES = 1,
    parameter integer TAPS = 4,
    parameter integer PARALLEL = 1,
    parameter integer FOLDS = 1,
    parameter integer PIXELS_OUTER = 0,
    parameter integer OP = 0,
    parameter integer START = 0,
    parameter integer X_W = 8,
    parameter integer X_SIGNED = 0,
    parameter integer W_W = 8,
    parameter integer ACC_W = 32,
    parameter WEIGHTS = "",
    parameter BIASES = ""
) (
    input  wire logic                            clk_i,
    input  wire logic                            rst_ni,
    // Windows in
    input  wire logic                            s_valid_i,
    output wire logic                            s_ready_o,
    input  wire logic [PARALLEL*LANES*X_W-1:0]   s_data_i,
    // Reduced words out
    output wire logic                            m_valid_o,
    input  wire logic                            m_ready_i,
    output wire logic [LANES*ACC_W-1:0]          m_data_o
);
  localparam integer STEPS = TAPS / PARALLEL;
  localparam integer SW = STEPS > 1 ? $clog2(STEPS) : 1;
  localparam integer FW = FOLDS > 1 ? $clog2(FOLDS) : 1;
  localparam integer AW = STEPS * FOLDS > 1 ? $clog2(STEPS * FOLDS) : 1;
  localparam integer ACCUMULATORS = PIXELS_OUTER != 0 ? FOLDS : 1;
  localparam integer PW = ACCUMULATORS > 1 ? $clog2(ACCUMULATORS) : 1;

  logic [SW-1:0] tap_q;
  logic [FW-1:0] fold_q, fold1_q, fold2_q;
  logic [AW-1:0] address_q;
  logic valid1_q, first1_q, last1_q, valid2_q, first2_q, last2_q, valid3_q;
  logic [PARALLEL*LANES*X_W-1:0] x1_q;
  wire logic [PARALLEL*LANES*W_W-1:0] weights1;  // of OP 2 alone
  wire logic [LANES*ACC_W-1:0] biases2;
  wire logic [PW-1:0] place;  // of the accumulators
  wire logic last_tap = tap_q == SW'(STEPS - 1);
  wire logic last_fold = fold_q == FW'(FOLDS - 1);

  // A finished word that nobody takes stops the others only where they would overwrite it.
  wire logic step = !valid3_q || m_ready_i || !(valid2_q && last2_q);
  wire logic take = s_valid_i && step;

  assign s_ready_o = step;
  assign m_valid_o = valid3_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      tap_q     <= '0;
      fold_q    <= '0;
      address_q <= '0;
      {valid1_q, valid2_q, valid3_q} <= '0;
    end else begin
      if (m_ready_i) valid3_q <= 1'b0;
      if (step) begin
        valid1_q <= s_valid_i;
        valid2_q <= valid1_q;
        if (valid2_q && last2_q) valid3_q <= 1'b1;
      end
      if (take) begin
        address_q <= address_q == AW'(STEPS * FOLDS - 1) ? '0 : address_q + 1'b1;
        if (PIXELS_OUTER != 0) begin
          fold_q <= last_fold ? '0 : fold_q + 1'b1;
          if (last_fold) tap_q <= last_tap ? '0 : tap_q + 1'b1;
        end else begin
          tap_q <= last_tap ? '0 : tap_q + 1'b1;
          if (last_tap) fold_q <= last_fold ? '0 : fold_q + 1'b1;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (step) begin
      x1_q <= s_data_i;
      {first1_q, last1_q, fold1_q} <= {tap_q == '0, last_tap, fold_q};
      {first2_q, last2_q, fold2_q} <= {first1_q, last1_q, fold1_q};
    end
  end

  genvar l, t;
  generate
    if (OP == 2) begin : gen_roms
      logic [PARALLEL*LANES*W_W-1:0] weight_rom [0:STEPS*FOLDS-1];
      logic [LANES*ACC_W-1:0] bias_rom [0:FOLDS-1];
      logic [PARALLEL*LANES*W_W-1:0] weights1_q;
      logic [LANES*ACC_W-1:0] biases2_q;
      initial $readmemh(WEIGHTS, weight_rom);
      initial $readmemh(BIASES, bias_rom);
      always_ff @(posedge clk_i) begin
        if (step) begin
          weights1_q <= weight_rom[address_q];
          biases2_q  <= bias_rom[fold1_q];
        end
      end
      assign weights1 = weights1_q;
      assign biases2 = biases2_q;
    end else begin : gen_none
      assign weights1 = '0;
      assign biases2 = '0;
      wire logic unused = &{1'b0, weights1, biases2, address_q};
    end

    if (PIXELS_OUTER != 0) begin : gen_places
      assign place = fold2_q;
    end else begin : gen_place
      assign place = '0;
      wire logic unused = &{1'b0, fold2_q};
    end

    for (l = 0; l < LANES; l = l + 1) begin : gen_lane
      wire logic [PARALLEL*X_W-1:0] x;
      for (t = 0; t < PARALLEL; t = t + 1) begin : gen_tap
        assign x[t*X_W +: X_W] = x1_q[(t*LANES + l)*X_W +: X_W];
      end

      // Extended by a bit where it has no sign, so that every operation is signed.
      logic signed [ACC_W:0] part, part2_q, next;
      logic signed [X_W:0] term;
      logic signed [ACC_W-1:0] acc_q [0:ACCUMULATORS-1];
      logic signed [ACC_W-1:0] out_q;
      wire logic signed [ACC_W:0] acc = {acc_q[place][ACC_W-1] && (OP == 1 || OP == 2 || X_SIGNED != 0), acc_q[place]};
      wire logic unused = &{1'b0, next[ACC_W]};
      integer k;

      if (OP == 2) begin : gen_products
        logic signed [W_W-1:0] weight;
        wire logic signed [ACC_W-1:0] bias = biases2[l*ACC_W +: ACC_W];
        always_comb begin
          part = '0;
          term = '0;
          weight = '0;
          for (k = 0; k < PARALLEL; k = k + 1) begin
            term = {X_SIGNED != 0 && x[k*X_W + X_W - 1], x[k*X_W +: X_W]};
            weight = weights1[(k*LANES + l)*W_W +: W_W];
            part = part + term * weight;
          end
          next = part2_q + (first2_q ? (ACC_W + 1)'(bias) : acc);
        end
      end else if (OP == 1) begin : gen_sums
        always_comb begin
          part = '0;
          term = '0;
          for (k = 0; k < PARALLEL; k = k + 1) begin
            term = {X_SIGNED != 0 && x[k*X_W + X_W - 1], x[k*X_W +: X_W]};
            part = part + (ACC_W + 1)'(term);
          end
          next = part2_q + (first2_q ? (ACC_W + 1)'(START) : acc);
        end
      end else begin : gen_extremes
        always_comb begin
          part = '0;
          term = '0;
          for (k = 0; k < PARALLEL; k = k + 1) begin
            term = {X_SIGNED != 0 && x[k*X_W + X_W - 1], x[k*X_W +: X_W]};
            if (k == 0 || (OP == 0 ? (ACC_W + 1)'(term) > part : (ACC_W + 1)'(term) < part)) part = (ACC_W + 1)'(term);
          end
          next = first2_q || (OP == 0 ? part2_q > acc : part2_q < acc) ? part2_q : acc;
        end
      end

      always_ff @(posedge clk_i) begin
        if (step) part2_q <= part;
        if (step && valid2_q) begin
          acc_q[place] <= next[ACC_W-1:0];
          if (last2_q) out_q <= next[ACC_W-1:0];
        end
      end
      assign m_data_o[l*ACC_W +: ACC_W] = out_q;
    end
  endgenerate
endmodule

`default_nettype wire

// Reduces TAPS words to one, lane by lane: the pools and depthwise convolution behind a window former that counts
// channels outside. FOLDS words of LANES channels make a pixel.
//
//   OP 0: maximum, OP 3: minimum, of X_W bits (signed if X_SIGNED); ACC_W is X_W
//   OP 1: sum
//   OP 2: bias[c] + sum of x * weight[c][tap], W_W bits, signed; WEIGHTS has a line for each tap of each fold
`default_nettype none

module tsm_lanes #(
    parameter integer LANES = 1,
    parameter integer TAPS = 4,
    parameter integer FOLDS = 1,
    parameter integer OP = 0,
    parameter integer X_W = 8,
    parameter integer X_SIGNED = 0,
    parameter integer W_W = 8,
    parameter integer ACC_W = 32,
    parameter WEIGHTS = "",
    parameter BIASES = ""
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // Windows in
    input  wire logic                   s_valid_i,
    output wire logic                   s_ready_o,
    input  wire logic [LANES*X_W-1:0]   s_data_i,
    // Reduced words out
    output wire logic                   m_valid_o,
    input  wire logic                   m_ready_i,
    output wire logic [LANES*ACC_W-1:0] m_data_o
);
  localparam integer TW = TAPS > 1 ? $clog2(TAPS) : 1;
  localparam integer FW = FOLDS > 1 ? $clog2(FOLDS) : 1;
  localparam integer AW = TAPS * FOLDS > 1 ? $clog2(TAPS * FOLDS) : 1;

  logic [TW-1:0] tap_q;
  logic [FW-1:0] fold_q;
  logic [AW-1:0] address_q;
  logic valid_q;
  logic [LANES*ACC_W-1:0] acc_q;
  wire logic first = tap_q == '0;
  wire logic last = tap_q == TW'(TAPS - 1);
  wire logic step = !valid_q || m_ready_i;
  wire logic take = s_valid_i && step;

  assign s_ready_o = step;
  assign m_valid_o = valid_q;
  assign m_data_o  = acc_q;

  wire logic [LANES*W_W-1:0] weights;
  wire logic [LANES*ACC_W-1:0] biases;
  generate
    if (OP == 2) begin : gen_roms
      logic [LANES*W_W-1:0] weight_rom [0:TAPS*FOLDS-1];
      logic [LANES*ACC_W-1:0] bias_rom [0:FOLDS-1];
      initial $readmemh(WEIGHTS, weight_rom);
      initial $readmemh(BIASES, bias_rom);
      assign weights = weight_rom[address_q];
      assign biases = bias_rom[fold_q];
    end else begin : gen_none
      assign weights = '0;
      assign biases = '0;
    end
  endgenerate

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      tap_q <= '0;
      fold_q <= '0;
      address_q <= '0;
      valid_q <= 1'b0;
    end else if (step) begin
      valid_q <= s_valid_i && last;
      if (s_valid_i) begin
        tap_q <= last ? '0 : tap_q + 1'b1;
        if (last) fold_q <= fold_q == FW'(FOLDS - 1) ? '0 : fold_q + 1'b1;
        address_q <= address_q == AW'(TAPS * FOLDS - 1) ? '0 : address_q + 1'b1;
      end
    end
  end

  genvar l;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : gen_lane
      wire logic signed [X_W:0] x = {X_SIGNED != 0 && s_data_i[l*X_W + X_W - 1], s_data_i[l*X_W +: X_W]};
      wire logic signed [ACC_W-1:0] acc = acc_q[l*ACC_W +: ACC_W];
      wire logic signed [X_W:0] held = {X_SIGNED != 0 && acc[X_W-1], acc[X_W-1:0]};
      wire logic signed [ACC_W-1:0] bias = biases[l*ACC_W +: ACC_W];
      wire logic signed [W_W-1:0] weight = weights[l*W_W +: W_W];
      logic signed [ACC_W-1:0] next;
      always_comb begin
        case (OP)
          0: next = first || x > held ? ACC_W'(x) : acc;
          3: next = first || x < held ? ACC_W'(x) : acc;
          1: next = ACC_W'(x) + (first ? '0 : acc);
          default: next = ACC_W'(x) * ACC_W'(weight) + (first ? bias : acc);
        endcase
      end
      always_ff @(posedge clk_i) begin
        if (take) acc_q[l*ACC_W +: ACC_W] <= next;
      end
    end
  endgenerate
endmodule

`default_nettype wire

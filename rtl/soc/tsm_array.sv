// Network level: PES elements in step. Takes the steps of the nest and the words of the activation memory, and gives the
// elements' results; nothing in it ever stops.
//
//   stage | 1 nest's registers | 2 memory's word | 3 word with padding | 4 products | 5 sums | 6 accumulators | 7 results
`default_nettype none

module tsm_array #(
    parameter integer PES = 8,
    parameter integer LANES = 8,
    parameter integer WGT_WORDS = 1024,
    parameter integer PAR_WORDS = 256,
    parameter integer KIND = 0,
    parameter integer HISTORY = 1,  // depthwise with a history of columns is built
    parameter integer ADDR_W = 16
) (
    input  wire logic                         clk_i,
    input  wire logic                         rst_ni,
    input  wire logic                         flush_i,
    // How: stays while busy
    input  wire logic [1:0]                   op_i,         // of tsm_pe
    input  wire logic                         own_i,        // of tsm_pe
    input  wire logic                         wide_i,       // of tsm_mac
    input  wire logic                         pad_none_i,
    input  wire logic                         history_i,
    input  wire logic                         in_signed_i,
    input  wire logic                         in2_signed_i, // of a pair's second byte
    input  wire logic [7:0]                   pad_byte_i,   // of a pair's first byte the zero point
    input  wire logic [7:0]                   in2_zero_i,   // of its second
    // Steps, stage 1; the word of the memory comes in stage 2
    input  wire logic                         step_i,
    input  wire logic [4:0]                   before_i,
    input  wire logic [4:0]                   inside_i,
    input  wire logic [4:0]                   run_i,
    input  wire logic [$clog2(WGT_WORDS)-1:0] w_addr_i,
    input  wire logic [$clog2(PAR_WORDS)-1:0] p_addr_i,
    input  wire logic [2:0]                   ky_i,
    input  wire logic                         first_i,
    input  wire logic                         last_i,
    input  wire logic [ADDR_W-1:0]            out_addr_i,
    input  wire logic [7:0]                   count_i,
    input  wire logic [LANES*8-1:0]           word_i,
    // Loader
    input  wire logic                         ld_weight_i,
    input  wire logic                         ld_param_i,
    input  wire logic [$clog2(PES)-1:0]       ld_pe_i,
    input  wire logic [1:0]                   ld_chunk_i,
    input  wire logic [15:0]                  ld_addr_i,
    input  wire logic [31:0]                  ld_data_i,
    // Results, stage 7; they stay until the next start
    output wire logic                         start_o,
    output wire logic [ADDR_W-1:0]            out_addr_o,
    output wire logic [7:0]                   count_o,
    output wire logic [PES*32-1:0]            results_o,
    output wire logic [PES*32-1:0]            multipliers_o,
    output wire logic                         busy_o
);
  localparam integer PAW = $clog2(PAR_WORDS);
  localparam integer PEW = $clog2(PES);

  logic step2_q, step3_q, step4_q, step5_q, step6_q, start7_q;
  logic last2_q, last3_q, last4_q, last5_q, last6_q, first2_q, first3_q, first4_q, first5_q;
  logic [2:0] ky2_q, ky3_q;
  logic [5*PAW-1:0] p_addr_q;                // stages 2 to 6, 2 in the low bits
  logic [6*(ADDR_W+8)-1:0] target_q;         // stages 2 to 7: address and count
  logic [LANES-1:0] there2_q, run2_q;
  logic [LANES*9-1:0] x3_q;

  assign busy_o = step_i || step2_q || step3_q || step4_q || step5_q || step6_q || start7_q;
  assign start_o = start7_q;
  assign {out_addr_o, count_o} = target_q[5*(ADDR_W+8) +: ADDR_W+8];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {step2_q, step3_q, step4_q, step5_q, step6_q, start7_q} <= '0;
    else if (flush_i) {step2_q, step3_q, step4_q, step5_q, step6_q, start7_q} <= '0;
    else begin
      {step2_q, step3_q, step4_q, step5_q, step6_q} <= {step_i, step2_q, step3_q, step4_q, step5_q};
      start7_q <= step6_q && last6_q;
    end
  end

  wire logic signed2 = op_i == 2'd2 && ky2_q != 3'd0 ? in2_signed_i : in_signed_i;
  logic [LANES*9-1:0] padded;
  integer j;
  always_comb begin
    for (j = 0; j < LANES; j = j + 1) begin
      padded[j*9 +: 8] = there2_q[j] ? word_i[j*8 +: 8] : pad_byte_i;
      // The ninth bit is the sign; of bits in a sum it says that they add nothing.
      padded[j*9 + 8] = KIND == 2 && op_i == 2'd0 && !own_i ? !run2_q[j] || (pad_none_i && !there2_q[j])
                                                            : signed2 && !(wide_i && j % 2 == 0) && padded[j*9 + 7];
    end
  end

  // What a pair's bytes have too much; nothing else is subtracted from here.
  wire logic [7:0] zero2 = ky2_q != 3'd0 ? in2_zero_i : pad_byte_i;
  logic [8:0] zero3_q;

  integer k;
  always_ff @(posedge clk_i) begin
    {last2_q, last3_q, last4_q, last5_q, last6_q} <= {last_i, last2_q, last3_q, last4_q, last5_q};
    {first2_q, first3_q, first4_q, first5_q} <= {first_i, first2_q, first3_q, first4_q};
    {ky2_q, ky3_q} <= {ky_i, ky2_q};
    p_addr_q <= {p_addr_q[4*PAW-1:0], p_addr_i};
    target_q <= {target_q[5*(ADDR_W+8)-1:0], out_addr_i, count_i};
    for (k = 0; k < LANES; k = k + 1) begin
      there2_q[k] <= 5'(k) >= before_i && 5'(k) < inside_i;
      run2_q[k] <= 5'(k) < run_i;
    end
    x3_q <= padded;
    zero3_q <= op_i == 2'd2 ? {signed2 && zero2[7], zero2} : 9'd0;
  end

  wire logic unused = ^{history_i, ky3_q, run2_q, pad_none_i};  // without history, without bits

  genvar p;
  generate
    for (p = 0; p < PES; p = p + 1) begin : gen_pe
      wire logic [8:0] own = p < LANES ? x3_q[(p % LANES)*9 +: 9] : 9'd0;
      wire logic [LANES*9-1:0] x;
      if (HISTORY != 0 && p < LANES) begin : gen_history
        wire logic [LANES*9-1:0] lanes;
        tsm_history #(.LANES(LANES)) u_history (
            .clk_i, .step_i(step3_q && history_i), .ky_i(ky3_q), .byte_i(own), .lanes_o(lanes)
        );
        assign x = history_i ? lanes : x3_q;
      end else begin : gen_direct
        assign x = x3_q;
      end
      tsm_pe #(.LANES(LANES), .WGT_WORDS(WGT_WORDS), .PAR_WORDS(PAR_WORDS), .KIND(KIND)) u_pe (
          .clk_i,
          .ld_weight_i(ld_weight_i && ld_pe_i == PEW'(p)), .ld_param_i(ld_param_i && ld_pe_i == PEW'(p)),
          .ld_chunk_i, .ld_addr_i, .ld_data_i,
          .w_addr1_i(w_addr_i), .x3_i(x), .byte3_i(own), .zero3_i(zero3_q), .p_addr4_i(p_addr_q[2*PAW +: PAW]),
          .op_i, .own_i, .wide_i, .step5_i(step5_q), .first5_i(first5_q), .last6_i(step6_q && last6_q),
          .p_addr6_i(p_addr_q[4*PAW +: PAW]),
          .result_o(results_o[p*32 +: 32]), .multiplier_o(multipliers_o[p*32 +: 32])
      );
    end
  endgenerate
endmodule

`default_nettype wire

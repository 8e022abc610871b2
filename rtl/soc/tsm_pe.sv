// Processing element: one output channel. Weight and parameter memories, arithmetic unit, accumulator, result.
//
//   stage | here                                             the array says, at that stage
//     1   | weight memory reads                              w_addr
//     3   | x and weight registers (x comes from outside)    x
//     4   | products; byte of this element, less its zero    p_addr
//         | point; bias memory
//     5   | sum of products, or the byte                     pass: the byte
//     6   | accumulator                                      step, first, op
//     7   | result and multiplier, kept until the next end   last
//
//   op 0 (sum):     acc = (first ? bias : acc) + sum
//   op 1 (maximum): acc = first || sum > acc ? sum : acc
//   op 2 (pair):    acc = first ? {0, byte} : {byte, acc[15:0]}, two signed halves
//   op 3 (bits):    acc = first ? byte : acc & byte; KIND 2 only
//
// KIND 2 has products of bits only. With `own` it adds the element's byte in their place, or subtracts it where bit 0 of
// the weight word is 1.
`default_nettype none

module tsm_pe #(
    parameter integer LANES = 8,
    parameter integer WGT_WORDS = 1024,
    parameter integer PAR_WORDS = 256,
    parameter integer KIND = 0
) (
    input  wire logic                         clk_i,
    // Loader: a 32-bit chunk of a weight word, or bias (chunk 0) or multiplier (chunk 1) of a parameter word
    input  wire logic                         ld_weight_i,
    input  wire logic                         ld_param_i,
    input  wire logic [1:0]                   ld_chunk_i,
    input  wire logic [15:0]                  ld_addr_i,
    input  wire logic [31:0]                  ld_data_i,
    // Array
    input  wire logic [$clog2(WGT_WORDS)-1:0] w_addr1_i,
    input  wire logic [LANES*9-1:0]           x3_i,
    input  wire logic [8:0]                   byte3_i,
    input  wire logic [8:0]                   zero3_i,
    input  wire logic [$clog2(PAR_WORDS)-1:0] p_addr4_i,
    input  wire logic [1:0]                   op_i,
    input  wire logic                         own_i,
    input  wire logic                         wide_i,  // of tsm_mac
    input  wire logic                         step5_i,
    input  wire logic                         first5_i,
    input  wire logic                         last6_i,
    input  wire logic [$clog2(PAR_WORDS)-1:0] p_addr6_i,
    output      logic [31:0]                  result_o,
    output wire logic [31:0]                  multiplier_o
);
  localparam integer WAW = $clog2(WGT_WORDS);
  localparam integer PAW = $clog2(PAR_WORDS);
  localparam integer SUM_W = 23 + $clog2(LANES);

  wire logic [LANES*8-1:0] w2;
  logic [LANES*8-1:0] w3_q;
  wire logic [31:0] bias;
  wire logic signed [SUM_W-1:0] products;
  logic signed [8:0] byte4_q, byte5_q;
  logic signed [31:0] acc_q;
  wire logic own_sum = KIND == 2 && own_i && op_i == 2'd0;
  wire logic signed [31:0] value = op_i == 2'd0 && !own_sum ? 32'(products) : 32'(byte5_q);
  wire logic unused = ^{ld_addr_i, own_i};

  genvar c;
  generate
    for (c = 0; c < LANES / 4; c = c + 1) begin : gen_weights
      tsm_ram #(.WIDTH(32), .DEPTH(WGT_WORDS)) u_ram (
          .clk_i, .we_i(ld_weight_i && ld_chunk_i == 2'(c)), .waddr_i(ld_addr_i[WAW-1:0]), .wdata_i(ld_data_i),
          .re_i(1'b1), .raddr_i(w_addr1_i), .rdata_o(w2[c*32 +: 32])
      );
    end
  endgenerate

  tsm_ram #(.WIDTH(32), .DEPTH(PAR_WORDS)) u_bias (
      .clk_i, .we_i(ld_param_i && ld_chunk_i == 2'd0), .waddr_i(ld_addr_i[PAW-1:0]), .wdata_i(ld_data_i),
      .re_i(1'b1), .raddr_i(p_addr4_i), .rdata_o(bias)
  );

  tsm_ram #(.WIDTH(32), .DEPTH(PAR_WORDS)) u_multiplier (
      .clk_i, .we_i(ld_param_i && ld_chunk_i == 2'd1), .waddr_i(ld_addr_i[PAW-1:0]), .wdata_i(ld_data_i),
      .re_i(last6_i), .raddr_i(p_addr6_i), .rdata_o(multiplier_o)
  );

  tsm_mac #(.LANES(LANES), .KIND(KIND)) u_mac (
      .clk_i, .x_i(x3_i), .w_i(w3_q), .wide_i, .sum_o(products)
  );

  always_ff @(posedge clk_i) begin
    w3_q <= w2;
    byte4_q <= own_sum && w3_q[0] ? -byte3_i : byte3_i - zero3_i;
    byte5_q <= byte4_q;
    if (step5_i) begin
      case (op_i)
        2'd0: acc_q <= (first5_i ? bias : acc_q) + value;
        2'd1: if (first5_i || value > acc_q) acc_q <= value;
        2'd2: acc_q <= first5_i ? 32'(value[15:0]) : {value[15:0], acc_q[15:0]};
        default: if (KIND == 2) acc_q <= first5_i ? value : acc_q & value;
      endcase
    end
    if (last6_i) result_o <= acc_q;
  end
endmodule

`default_nettype wire

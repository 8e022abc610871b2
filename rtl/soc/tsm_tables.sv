// Tables of 256 results each, for any function of a byte: RQS bytes are looked up at once, in copies of one memory.
//
//   result = byte `i % 4` of word `64 * table + i / 4`, for byte i; it comes a clock later
`default_nettype none

module tsm_tables #(
    parameter integer RQS = 4,
    parameter integer TABLES = 8  // a power of two
) (
    input  wire logic                         clk_i,
    // Loader
    input  wire logic                         ld_i,
    input  wire logic [$clog2(TABLES*64)-1:0] ld_addr_i,
    input  wire logic [31:0]                  ld_data_i,
    // Bytes
    input  wire logic [$clog2(TABLES)-1:0]    table_i,
    input  wire logic [RQS*8-1:0]             bytes_i,
    output wire logic [RQS*8-1:0]             results_o
);
  genvar r;
  generate
    for (r = 0; r < RQS; r = r + 1) begin : gen_copy
      wire logic [31:0] word;
      logic [1:0] place_q;
      tsm_ram #(.WIDTH(32), .DEPTH(TABLES * 64)) u_ram (
          .clk_i, .we_i(ld_i), .waddr_i(ld_addr_i), .wdata_i(ld_data_i),
          .re_i(1'b1), .raddr_i({table_i, bytes_i[r*8+2 +: 6]}), .rdata_o(word)
      );
      always_ff @(posedge clk_i) place_q <= bytes_i[r*8 +: 2];
      assign results_o[r*8 +: 8] = word[32'(place_q)*8 +: 8];
    end
  endgenerate
endmodule

`default_nettype wire

// The chip's pins and parameters for the firmware: the error code, and the number that ends a simulation.
`default_nettype none

module tsm_system #(
    parameter integer RAM_BYTES = 32768,
    parameter integer ACT_BYTES = 65536,
    parameter integer DESC_WORDS = 2048,
    parameter [31:0] EXT_BYTES = 32'h0010_0000
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // Registers
    input  wire logic        req_i,
    input  wire logic        write_i,
    input  wire logic [7:0]  addr_i,
    input  wire logic [31:0] wdata_i,
    output wire logic [31:0] rdata_o,
    // Pins
    output wire logic [7:0]  error_o,
    output wire logic        exit_valid_o,
    output wire logic [31:0] exit_code_o
);
  logic [7:0] error_q;
  wire logic write = req_i && write_i;

  assign error_o = error_q;
  assign exit_valid_o = write && addr_i == tsm_soc_pkg::SYSTEM_EXIT[7:0];
  assign exit_code_o = wdata_i;
  assign rdata_o = addr_i == tsm_soc_pkg::SYSTEM_ERROR[7:0] ? {24'd0, error_q}
                 : addr_i == tsm_soc_pkg::SYSTEM_RAM_BYTES[7:0] ? 32'(RAM_BYTES)
                 : addr_i == tsm_soc_pkg::SYSTEM_ACT_BYTES[7:0] ? 32'(ACT_BYTES)
                 : addr_i == tsm_soc_pkg::SYSTEM_DESC_WORDS[7:0] ? 32'(DESC_WORDS)
                 : addr_i == tsm_soc_pkg::SYSTEM_EXT_BYTES[7:0] ? EXT_BYTES : '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) error_q <= '0;
    else if (write && addr_i == tsm_soc_pkg::SYSTEM_ERROR[7:0]) error_q <= wdata_i[7:0];
  end
endmodule

`default_nettype wire

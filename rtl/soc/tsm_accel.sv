// The accelerator: runs lists of load and compute descriptors over its activation memory, and interrupts.
//
//   CPU --AXI4-Lite--> registers ----> sequencer --> nest --> activation memory --> PES elements --> ending --+
//               +----> descriptor memory --^  |                       ^  ^  ^                                  |
//                                          loader --> weights         |  |  +----------------------------------+
//   external memory --words-----------------^        samples, results-+  +-- CPU
`default_nettype none

module tsm_accel #(
    parameter integer PES = 8,           // processing elements: output channels at once
    parameter integer LANES = 8,         // inputs an element takes in a clock
    parameter integer RQS = 4,           // requantizers
    parameter integer ACT_BYTES = 65536, // activation memory
    parameter integer WGT_WORDS = 1024,  // words of LANES weights, in each element
    parameter integer PAR_WORDS = 256,   // biases and multipliers, in each element
    parameter integer DESC_WORDS = 2048, // words of 32 bits
    parameter integer KIND = 0,          // tsm_dot's: 0 multiply, 1 shift and add, 2 XNOR and popcount
    parameter integer OPS = 7            // optional operators: bit 0 addition, 1 maximum pool, 2 history
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // AXI4-Lite slave, byte addresses: registers at 0, descriptor memory at 0x1_0000, activation memory at 0x10_0000
    input  wire logic        axil_awvalid_i,
    output wire logic        axil_awready_o,
    input  wire logic [31:0] axil_awaddr_i,
    input  wire logic        axil_wvalid_i,
    output wire logic        axil_wready_o,
    input  wire logic [31:0] axil_wdata_i,
    input  wire logic [3:0]  axil_wstrb_i,
    output wire logic        axil_bvalid_o,
    input  wire logic        axil_bready_i,
    output wire logic [1:0]  axil_bresp_o,
    input  wire logic        axil_arvalid_i,
    output wire logic        axil_arready_o,
    input  wire logic [31:0] axil_araddr_i,
    output wire logic        axil_rvalid_o,
    input  wire logic        axil_rready_i,
    output wire logic [31:0] axil_rdata_o,
    output wire logic [1:0]  axil_rresp_o,
    // Activation memory, for samples and results: aligned words; a read's data comes later, in order
    input  wire logic        dma_req_valid_i,
    output wire logic        dma_req_ready_o,
    input  wire logic        dma_req_write_i,
    input  wire logic [31:0] dma_req_addr_i,
    input  wire logic [31:0] dma_req_wdata_i,
    input  wire logic [3:0]  dma_req_wstrb_i,
    output wire logic        dma_rsp_valid_o,
    output wire logic [31:0] dma_rsp_data_o,
    // External memory, read only: a request of `len` words from byte address `addr`, then its words in order
    output wire logic        ext_req_valid_o,
    input  wire logic        ext_req_ready_i,
    output wire logic [31:0] ext_req_addr_o,
    output wire logic [15:0] ext_req_len_o,
    input  wire logic        ext_rsp_valid_i,
    output wire logic        ext_rsp_ready_o,
    input  wire logic [31:0] ext_rsp_data_i,
    // High from the end of a run, or an error, until the CPU clears the status, while interrupts are enabled
    output wire logic        irq_o
);
endmodule

`default_nettype wire

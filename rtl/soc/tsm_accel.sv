// The accelerator: runs lists of load and compute descriptors over its activation memory, and interrupts.
//
//   CPU --AXI4-Lite--> control ----> sequencer --> nest --> activation memory --> PES elements --> ending --+
//   CPU --words--> descriptor memory -^    |                       ^  ^  ^                                 |
//                                       loader --> weights         |  |  +---------------------------------+
//   external memory --words--------------^           samples ------+  +------ CPU words
//
// Every memory port: hold `req` and the rest until `gnt` in the same clock; a read's data comes with `rvalid`, later,
// in order; a write has no answer. One access a clock.
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
    parameter [31:0] IDENTITY = 32'h0    // what the register ID reads
) (
    input  wire logic                          clk_i,
    input  wire logic                          rst_ni,
    // Control and status registers: AXI4-Lite, byte addresses
    input  wire logic                          axil_awvalid_i,
    output wire logic                          axil_awready_o,
    input  wire logic [7:0]                    axil_awaddr_i,
    input  wire logic                          axil_wvalid_i,
    output wire logic                          axil_wready_o,
    input  wire logic [31:0]                   axil_wdata_i,
    input  wire logic [3:0]                    axil_wstrb_i,
    output wire logic                          axil_bvalid_o,
    input  wire logic                          axil_bready_i,
    output wire logic [1:0]                    axil_bresp_o,
    input  wire logic                          axil_arvalid_i,
    output wire logic                          axil_arready_o,
    input  wire logic [7:0]                    axil_araddr_i,
    output wire logic                          axil_rvalid_o,
    input  wire logic                          axil_rready_i,
    output wire logic [31:0]                   axil_rdata_o,
    output wire logic [1:0]                    axil_rresp_o,
    // Descriptor memory, for the CPU: word addresses
    input  wire logic                          desc_req_i,
    output wire logic                          desc_gnt_o,
    input  wire logic                          desc_we_i,
    input  wire logic [$clog2(DESC_WORDS)-1:0] desc_addr_i,
    input  wire logic [31:0]                   desc_wdata_i,
    output wire logic                          desc_rvalid_o,
    output wire logic [31:0]                   desc_rdata_o,
    // Activation memory, for the CPU: byte addresses of aligned words
    input  wire logic                          act_req_i,
    output wire logic                          act_gnt_o,
    input  wire logic                          act_we_i,
    input  wire logic [3:0]                    act_be_i,
    input  wire logic [$clog2(ACT_BYTES)-1:0]  act_addr_i,
    input  wire logic [31:0]                   act_wdata_i,
    output wire logic                          act_rvalid_o,
    output wire logic [31:0]                   act_rdata_o,
    // Activation memory, for samples: up to four bytes at any byte address, write only
    input  wire logic                          sample_req_i,
    output wire logic                          sample_gnt_o,
    input  wire logic [3:0]                    sample_be_i,
    input  wire logic [$clog2(ACT_BYTES)-1:0]  sample_addr_i,
    input  wire logic [31:0]                   sample_wdata_i,
    // External memory, read only: a request of `len` words from byte address `addr`, then its words in order
    output wire logic                          ext_req_valid_o,
    input  wire logic                          ext_req_ready_i,
    output wire logic [31:0]                   ext_req_addr_o,
    output wire logic [15:0]                   ext_req_len_o,
    input  wire logic                          ext_rsp_valid_i,
    output wire logic                          ext_rsp_ready_o,
    input  wire logic [31:0]                   ext_rsp_data_i,
    // High from the end of a run, or an error, until the CPU clears the status, while interrupts are enabled
    output wire logic                          irq_o
);
endmodule

`default_nettype wire

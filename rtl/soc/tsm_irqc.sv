// Which interrupt sources (levels) are active, and which of them reach the processor.
`default_nettype none

module tsm_irqc #(
    parameter integer SOURCES = 4
) (
    input  wire logic               clk_i,
    input  wire logic               rst_ni,
    // Registers
    input  wire logic               req_i,
    input  wire logic               write_i,
    input  wire logic [7:0]         addr_i,
    input  wire logic [31:0]        wdata_i,
    output wire logic [31:0]        rdata_o,
    // Lines
    input  wire logic [SOURCES-1:0] source_i,
    output wire logic               irq_o
);
  logic [SOURCES-1:0] enable_q;

  assign irq_o = (source_i & enable_q) != '0;
  assign rdata_o = addr_i == tsm_soc_pkg::IRQC_PENDING[7:0] ? 32'(source_i)
                 : addr_i == tsm_soc_pkg::IRQC_ENABLE[7:0] ? 32'(enable_q) : '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) enable_q <= '0;
    else if (req_i && write_i && addr_i == tsm_soc_pkg::IRQC_ENABLE[7:0]) enable_q <= wdata_i[SOURCES-1:0];
  end

  wire logic unused = &{1'b0, wdata_i[31:SOURCES]};
endmodule

`default_nettype wire

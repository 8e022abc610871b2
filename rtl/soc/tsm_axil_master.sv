// One access of the processor as one AXI4-Lite transfer; the answer is ready for one clock. Error responses are reported.
//
//   sel_i   _/‾‾‾‾‾‾‾‾‾‾‾‾‾‾\___     address, data and strobes stay while sel_i is high
//   valid   ___/‾‾‾\_____________     a clock later: decoding the address takes one
//   ready_o ______________/‾\___
`default_nettype none

module tsm_axil_master (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // Processor
    input  wire logic        sel_i,
    input  wire logic [31:0] addr_i,
    input  wire logic [3:0]  wstrb_i,  // 0 is a read
    input  wire logic [31:0] wdata_i,
    output wire logic        ready_o,
    output wire logic [31:0] rdata_o,
    output wire logic        error_o,
    // AXI4-Lite
    output wire logic        awvalid_o,
    input  wire logic        awready_i,
    output wire logic [31:0] awaddr_o,
    output wire logic        wvalid_o,
    input  wire logic        wready_i,
    output wire logic [31:0] wdata_o,
    output wire logic [3:0]  wstrb_o,
    input  wire logic        bvalid_i,
    output wire logic        bready_o,
    input  wire logic [1:0]  bresp_i,
    output wire logic        arvalid_o,
    input  wire logic        arready_i,
    output wire logic [31:0] araddr_o,
    input  wire logic        rvalid_i,
    output wire logic        rready_o,
    input  wire logic [31:0] rdata_i,
    input  wire logic [1:0]  rresp_i
);
  logic addr_done_q, data_done_q, answered_q, error_q;
  logic [31:0] rdata_q;
  wire logic write = wstrb_i != '0;
  wire logic open = sel_i && !answered_q;
  wire logic answer = (bvalid_i && bready_o) || (rvalid_i && rready_o);

  assign awvalid_o = open && write && !addr_done_q;
  assign wvalid_o  = open && write && !data_done_q;
  assign arvalid_o = open && !write && !addr_done_q;
  assign bready_o  = open && write && addr_done_q && data_done_q;
  assign rready_o  = open && !write && addr_done_q;
  assign awaddr_o  = addr_i;
  assign araddr_o  = addr_i;
  assign wdata_o   = wdata_i;
  assign wstrb_o   = wstrb_i;
  assign ready_o   = answered_q;
  assign rdata_o   = rdata_q;
  assign error_o   = answered_q && error_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      addr_done_q <= 1'b0;
      data_done_q <= 1'b0;
      answered_q  <= 1'b0;
      error_q     <= 1'b0;
      rdata_q     <= '0;
    end else begin
      if ((awvalid_o && awready_i) || (arvalid_o && arready_i)) addr_done_q <= 1'b1;
      if (wvalid_o && wready_i) data_done_q <= 1'b1;
      answered_q <= answer;
      if (answer) begin
        addr_done_q <= 1'b0;
        data_done_q <= 1'b0;
        error_q     <= (write ? bresp_i : rresp_i) != '0;
        rdata_q     <= rdata_i;
      end
    end
  end
endmodule

`default_nettype wire

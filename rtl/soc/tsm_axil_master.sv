// One access of the processor as one AXI4-Lite transfer; the answer is ready for one clock. Error responses are reported.
//
//   sel_i   _/‾‾‾‾‾‾‾‾‾‾‾\___     address, data and strobes stay while sel_i is high; it is low in the clock after ready
//   valid   ___/‾‾‾\_________     a clock later, since the address is decoded for sel_i
//   ready_o ___________/‾\___
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
  logic open_q, addr_done_q, data_done_q;
  wire logic write = wstrb_i != '0;
  wire logic answer = (bvalid_i && bready_o) || (rvalid_i && rready_o);

  assign awvalid_o = open_q && write && !addr_done_q;
  assign wvalid_o  = open_q && write && !data_done_q;
  assign arvalid_o = open_q && !write && !addr_done_q;
  assign bready_o  = open_q && write && addr_done_q && data_done_q;
  assign rready_o  = open_q && !write && addr_done_q;
  assign awaddr_o  = addr_i;
  assign araddr_o  = addr_i;
  assign wdata_o   = wdata_i;
  assign wstrb_o   = wstrb_i;
  assign ready_o   = answer;
  assign rdata_o   = rdata_i;
  assign error_o   = answer && (write ? bresp_i : rresp_i) != '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      open_q      <= 1'b0;
      addr_done_q <= 1'b0;
      data_done_q <= 1'b0;
    end else begin
      open_q <= sel_i && !answer;
      if ((awvalid_o && awready_i) || (arvalid_o && arready_i)) addr_done_q <= 1'b1;
      if (wvalid_o && wready_i) data_done_q <= 1'b1;
      if (answer) begin
        addr_done_q <= 1'b0;
        data_done_q <= 1'b0;
      end
    end
  end
endmodule

`default_nettype wire

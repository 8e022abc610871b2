// AXI4-Lite slave in front of a simple bus: a request stays until its grant in the same clock; a read's data comes later.
// One write and one read at a time; they take turns. Answers are always OKAY.
`default_nettype none

module tsm_axil (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        axil_awvalid_i,
    output wire logic        axil_awready_o,
    input  wire logic [31:0] axil_awaddr_i,
    input  wire logic        axil_wvalid_i,
    output wire logic        axil_wready_o,
    input  wire logic [31:0] axil_wdata_i,
    input  wire logic [3:0]  axil_wstrb_i,
    output      logic        axil_bvalid_o,
    input  wire logic        axil_bready_i,
    output wire logic [1:0]  axil_bresp_o,
    input  wire logic        axil_arvalid_i,
    output wire logic        axil_arready_o,
    input  wire logic [31:0] axil_araddr_i,
    output      logic        axil_rvalid_o,
    input  wire logic        axil_rready_i,
    output      logic [31:0] axil_rdata_o,
    output wire logic [1:0]  axil_rresp_o,
    // Bus
    output wire logic        bus_req_o,
    input  wire logic        bus_gnt_i,
    output wire logic        bus_we_o,
    output wire logic [31:0] bus_addr_o,
    output wire logic [3:0]  bus_be_o,
    output wire logic [31:0] bus_wdata_o,
    input  wire logic        bus_rvalid_i,
    input  wire logic [31:0] bus_rdata_i
);
  logic reading_q;  // granted, not yet taken
  wire logic write = axil_awvalid_i && axil_wvalid_i && !axil_bvalid_o;
  wire logic read = axil_arvalid_i && !reading_q;
  wire logic write_gnt, read_gnt;

  tsm_arbiter u_turns (
      .clk_i, .rst_ni, .a_req_i(write), .b_req_i(read), .ready_i(bus_gnt_i), .a_first_o(bus_we_o),
      .a_gnt_o(write_gnt), .b_gnt_o(read_gnt)
  );

  assign bus_req_o = write || read;
  assign bus_addr_o = bus_we_o ? axil_awaddr_i : axil_araddr_i;
  assign bus_be_o = axil_wstrb_i;
  assign bus_wdata_o = axil_wdata_i;
  assign axil_awready_o = write_gnt;
  assign axil_wready_o = write_gnt;
  assign axil_arready_o = read_gnt;
  assign axil_bresp_o = 2'b00;
  assign axil_rresp_o = 2'b00;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {axil_bvalid_o, axil_rvalid_o, reading_q} <= 3'b000;
    else begin
      if (write_gnt) axil_bvalid_o <= 1'b1;
      else if (axil_bready_i) axil_bvalid_o <= 1'b0;
      if (bus_rvalid_i) axil_rvalid_o <= 1'b1;
      else if (axil_rready_i) axil_rvalid_o <= 1'b0;
      if (read_gnt) reading_q <= 1'b1;
      else if (axil_rvalid_o && axil_rready_i) reading_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) if (bus_rvalid_i) axil_rdata_o <= bus_rdata_i;
endmodule

`default_nettype wire

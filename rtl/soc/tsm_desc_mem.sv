// Descriptor memory: the CPU writes; the two sequencers and the CPU read, in that order of priority. Sequencers read a few
// words and then work, so nobody waits for long. A read's data comes one clock after its grant.
`default_nettype none

module tsm_desc_mem #(
    parameter integer DESC_WORDS = 2048
) (
    input  wire logic                          clk_i,
    input  wire logic                          rst_ni,
    input  wire logic                          compute_req_i,
    output wire logic                          compute_gnt_o,
    input  wire logic [$clog2(DESC_WORDS)-1:0] compute_addr_i,
    output      logic                          compute_rvalid_o,
    input  wire logic                          load_req_i,
    output wire logic                          load_gnt_o,
    input  wire logic [$clog2(DESC_WORDS)-1:0] load_addr_i,
    output      logic                          load_rvalid_o,
    input  wire logic                          bus_req_i,
    output wire logic                          bus_gnt_o,
    input  wire logic                          bus_we_i,
    input  wire logic [$clog2(DESC_WORDS)-1:0] bus_addr_i,
    input  wire logic [31:0]                   bus_wdata_i,
    output      logic                          bus_rvalid_o,
    output wire logic [31:0]                   rdata_o
);
  assign compute_gnt_o = compute_req_i;
  assign load_gnt_o = load_req_i && !compute_req_i;
  assign bus_gnt_o = bus_req_i && (bus_we_i || (!compute_req_i && !load_req_i));

  wire logic bus_read = bus_gnt_o && !bus_we_i;

  tsm_ram #(.WIDTH(32), .DEPTH(DESC_WORDS)) u_ram (
      .clk_i, .we_i(bus_req_i && bus_we_i), .waddr_i(bus_addr_i), .wdata_i(bus_wdata_i),
      .re_i(compute_gnt_o || load_gnt_o || bus_read),
      .raddr_i(compute_req_i ? compute_addr_i : load_req_i ? load_addr_i : bus_addr_i), .rdata_o
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {compute_rvalid_o, load_rvalid_o, bus_rvalid_o} <= '0;
    else {compute_rvalid_o, load_rvalid_o, bus_rvalid_o} <= {compute_gnt_o, load_gnt_o, bus_read};
  end
endmodule

`default_nettype wire

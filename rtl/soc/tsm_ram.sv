// Memory with one write port and one read port; what a read returns comes one clock later and stays until the next.
//
// A read of the word that the same clock writes returns anything. Starts with zeros, as FPGA block memories do by
// themselves.
`default_nettype none

module tsm_ram #(
    parameter integer WIDTH = 8,
    parameter integer DEPTH = 512
) (
    input  wire logic                     clk_i,
    input  wire logic                     we_i,
    input  wire logic [$clog2(DEPTH)-1:0] waddr_i,
    input  wire logic [WIDTH-1:0]         wdata_i,
    input  wire logic                     re_i,
    input  wire logic [$clog2(DEPTH)-1:0] raddr_i,
    output      logic [WIDTH-1:0]         rdata_o
);
  (* no_rw_check *) logic [WIDTH-1:0] mem_q [0:DEPTH-1]  /* verilator public_flat_rd */;

`ifndef SYNTHESIS
  integer i;
  initial for (i = 0; i < DEPTH; i = i + 1) mem_q[i] = '0;
`endif

  always_ff @(posedge clk_i) begin
    if (we_i) mem_q[waddr_i] <= wdata_i;
  end

  always_ff @(posedge clk_i) begin
    if (re_i) rdata_o <= mem_q[raddr_i];
  end
endmodule

`default_nettype wire

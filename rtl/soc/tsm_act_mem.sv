// Activation memory: byte-wide banks, so that LANES bytes from any byte address are read, and BYTES written, in a clock.
//
// Byte address a stands in bank a % BANKS. A read at a takes row a / BANKS of the banks from a % BANKS on and the next row
// of those before, and rotates; a write does the same the other way round. Addresses wrap at the end of the memory.
//
// The engine is served at once, always. The bus gets the clocks that are left; one that has waited for PATIENCE clocks
// asks the engine for a pause.
`default_nettype none

module tsm_act_mem #(
    parameter integer ACT_BYTES = 65536,
    parameter integer BANKS = 8,
    parameter integer LANES = 8,   // bytes a read of the engine takes, up to BANKS
    parameter integer BYTES = 4,   // bytes a write of the engine takes, 4 to BANKS
    parameter integer PATIENCE = 15
) (
    input  wire logic                         clk_i,
    input  wire logic                         rst_ni,
    // The engine's reads; data one clock later
    input  wire logic                         rd_valid_i,
    input  wire logic [$clog2(ACT_BYTES)-1:0] rd_addr_i,
    output wire logic [LANES*8-1:0]           rd_data_o,
    // The engine's writes
    input  wire logic                         wr_valid_i,
    input  wire logic [$clog2(ACT_BYTES)-1:0] wr_addr_i,
    input  wire logic [BYTES-1:0]             wr_be_i,
    input  wire logic [BYTES*8-1:0]           wr_data_i,
    // The bus: words of four bytes; a read's data one clock after its grant
    input  wire logic                         bus_req_i,
    output wire logic                         bus_gnt_o,
    input  wire logic                         bus_we_i,
    input  wire logic [3:0]                   bus_be_i,
    input  wire logic [$clog2(ACT_BYTES)-1:0] bus_addr_i,
    input  wire logic [31:0]                  bus_wdata_i,
    output wire logic [31:0]                  bus_rdata_o,
    output wire logic                         pause_o
);
  localparam integer AW = $clog2(ACT_BYTES);
  localparam integer BW = $clog2(BANKS);
  localparam integer WW = $clog2(PATIENCE + 1);

  wire logic bus_read = bus_req_i && !bus_we_i;
  wire logic bus_write = bus_req_i && bus_we_i;
  wire logic read = rd_valid_i || bus_read;
  wire logic write = wr_valid_i || bus_write;
  wire logic [BYTES-1:0] be = wr_valid_i ? wr_be_i : BYTES'(bus_be_i);
  wire logic [BYTES*8-1:0] wdata = wr_valid_i ? wr_data_i : (BYTES*8)'(bus_wdata_i);
  assign bus_gnt_o = (bus_read && !rd_valid_i) || (bus_write && !wr_valid_i);

  // Where the first byte stands, and the rotations that bring it there and back.
  wire logic [BW-1:0] rbank = rd_valid_i ? rd_addr_i[BW-1:0] : bus_addr_i[BW-1:0];
  wire logic [BW-1:0] wbank = wr_valid_i ? wr_addr_i[BW-1:0] : bus_addr_i[BW-1:0];
  logic [BW-1:0] rbank_q;
  wire logic [BANKS*8-1:0] bank_data;
  wire logic [2*BANKS-1:0] be_twice = {BANKS'(be), BANKS'(be)} << wbank;
  wire logic [2*BANKS*8-1:0] wdata_twice = {(BANKS*8)'(wdata), (BANKS*8)'(wdata)} << {wbank, 3'b000};
  wire logic [2*BANKS*8-1:0] rdata_twice = {bank_data, bank_data} >> {rbank_q, 3'b000};
  assign rd_data_o = rdata_twice[LANES*8-1:0];
  assign bus_rdata_o = rdata_twice[31:0];
  wire logic unused = ^{be_twice, wdata_twice, rdata_twice};

  always_ff @(posedge clk_i) begin
    if (read) rbank_q <= rbank;
  end

  genvar b;
  generate
    for (b = 0; b < BANKS; b = b + 1) begin : gen_bank
      // An aligned word of the bus lies in one row.
      wire logic [AW-BW-1:0] rd_row = rd_addr_i[AW-1:BW] + (AW-BW)'(b < 32'(rd_addr_i[BW-1:0]));
      wire logic [AW-BW-1:0] wr_row = wr_addr_i[AW-1:BW] + (AW-BW)'(b < 32'(wr_addr_i[BW-1:0]));
      wire logic [AW-BW-1:0] rrow = rd_valid_i ? rd_row : bus_addr_i[AW-1:BW];
      wire logic [AW-BW-1:0] wrow = wr_valid_i ? wr_row : bus_addr_i[AW-1:BW];
      tsm_ram #(.WIDTH(8), .DEPTH(ACT_BYTES / BANKS)) u_ram (
          .clk_i, .we_i(write && be_twice[BANKS + b]), .waddr_i(wrow), .wdata_i(wdata_twice[(BANKS + b)*8 +: 8]),
          .re_i(read), .raddr_i(rrow), .rdata_o(bank_data[b*8 +: 8])
      );
    end
  endgenerate

  logic [WW-1:0] waited_q;
  assign pause_o = waited_q == WW'(PATIENCE);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) waited_q <= '0;
    else if (!bus_req_i || bus_gnt_o) waited_q <= '0;
    else if (!pause_o) waited_q <= waited_q + 1'b1;
  end
endmodule

`default_nettype wire

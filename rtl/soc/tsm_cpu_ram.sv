// The processor's memory: WORDS 32-bit words with byte strobes, filled from FILE. One clock from address to data. A
// second port reads.
`default_nettype none

module tsm_cpu_ram #(
    parameter integer WORDS = 8192,
    parameter FILE = ""
) (
    input  wire logic                     clk_i,
    input  wire logic                     read_i,
    input  wire logic [3:0]               write_i,  // bytes
    input  wire logic [$clog2(WORDS)-1:0] addr_i,   // words
    input  wire logic [31:0]              data_i,
    output wire logic [31:0]              data_o,   // of the last read
    input  wire logic [$clog2(WORDS)-1:0] addr2_i,
    output wire logic [31:0]              data2_o   // as before a write in the same clock, or after it
);
  logic [31:0] mem_q [0:WORDS-1];
  logic [31:0] data_q, data2_q;
  initial if (FILE != "") $readmemh(FILE, mem_q);

  assign data_o = data_q;
  assign data2_o = data2_q;

  always_ff @(posedge clk_i) begin
    if (read_i) data_q <= mem_q[addr_i];
    data2_q <= mem_q[addr2_i];
    if (write_i[0]) mem_q[addr_i][7:0] <= data_i[7:0];
    if (write_i[1]) mem_q[addr_i][15:8] <= data_i[15:8];
    if (write_i[2]) mem_q[addr_i][23:16] <= data_i[23:16];
    if (write_i[3]) mem_q[addr_i][31:24] <= data_i[31:24];
  end
endmodule

`default_nettype wire

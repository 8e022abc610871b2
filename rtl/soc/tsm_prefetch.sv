// Reads ahead for the processor: its memory's second port always reads the word behind the instruction that was fetched
// last. An access to it is answered in its first clock; so is a write, which the look-ahead port has made by then.
//
//   look-ahead    read A    -          read A+1  -
//   access                  A fetched            A+1 fetched
//   second port             reads A+1  is there
//   early_o                                      high: the answer is what the second port put out in the clock before
`default_nettype none

module tsm_prefetch #(
    parameter integer RAM_BYTES = 32768
) (
    input  wire logic                           clk_i,
    input  wire logic                           rst_ni,
    // Processor: what it will access, and what it accesses
    input  wire logic                           la_read_i,
    input  wire logic                           la_write_i,
    input  wire logic [31:0]                    la_addr_i,
    input  wire logic                           mem_valid_i,
    input  wire logic                           mem_instr_i,
    input  wire logic [31:0]                    mem_addr_i,
    // Its memory
    output wire logic                           ram_write_o,
    output wire logic [$clog2(RAM_BYTES/4)-1:0] ram_next_o,  // word of the second port
    // The access that begins is answered
    output wire logic                           early_o
);
  localparam integer AW = $clog2(RAM_BYTES / 4);

  logic [AW-1:0] next_q;  // the word that the second port puts out
  logic written_q, early_q;  // written: a write may have changed it meanwhile
  wire logic in_ram = la_addr_i < RAM_BYTES;
  wire logic [AW-1:0] next = mem_valid_i && mem_instr_i ? mem_addr_i[2 +: AW] + 1'b1 : next_q;
  wire logic unused = ^{la_addr_i, mem_addr_i};

  assign ram_write_o = la_write_i && in_ram;
  assign ram_next_o = next;
  assign early_o = early_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      next_q <= '0;
      written_q <= 1'b1;
      early_q <= 1'b0;
    end else begin
      next_q <= next;
      written_q <= la_write_i;
      early_q <= in_ram && (la_write_i || (la_read_i && !written_q && la_addr_i[2 +: AW] == next_q));
    end
  end
endmodule

`default_nettype wire

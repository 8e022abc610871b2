// Reads ahead for the processor: in clocks in which its memory is free, the word behind the instruction that was fetched
// last. An access to this word is answered in its first clock, as a write is, which the look-ahead port has made by then.
//
//   look-ahead   read A      -       -     read A+1
//   memory reads   A        A+1     A+1      A+1
//   early_o      ____________________________________/‾‾  the answer is what the memory put out in the clock before
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
    // Its memory, in words
    output wire logic                           ram_read_o,
    output wire logic                           ram_write_o,
    output wire logic [$clog2(RAM_BYTES/4)-1:0] ram_addr_o,
    // The access that begins is answered
    output wire logic                           early_o
);
  localparam integer AW = $clog2(RAM_BYTES / 4);

  logic [AW-1:0] next_q;
  logic ahead_q, early_q;  // ahead: the memory puts out word next
  wire logic free = !la_read_i && !la_write_i;
  wire logic in_ram = la_addr_i < RAM_BYTES;
  wire logic [AW-1:0] next = mem_valid_i && mem_instr_i ? mem_addr_i[2 +: AW] + 1'b1 : next_q;
  wire logic unused = ^{la_addr_i, mem_addr_i};

  assign ram_read_o = !la_write_i;
  assign ram_write_o = la_write_i && in_ram;
  assign ram_addr_o = free ? next : la_addr_i[2 +: AW];
  assign early_o = early_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      next_q <= '0;
      {ahead_q, early_q} <= 2'b00;
    end else begin
      next_q <= next;
      ahead_q <= free;
      early_q <= in_ram && (la_write_i || (la_read_i && ahead_q && la_addr_i[2 +: AW] == next_q));
    end
  end
endmodule

`default_nettype wire

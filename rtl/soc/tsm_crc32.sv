// One step of zlib's CRC-32 over a 32-bit word (its low byte first): the register before, to the register after.
//
// The step is linear in (register ^ word), so each bit after is the parity of some bits before. Start with all ones; the
// checksum is the complement at the end.
`default_nettype none

module tsm_crc32 (
    input  wire logic [31:0] crc_i,
    input  wire logic [31:0] word_i,
    output wire logic [31:0] crc_o
);
  // The bits before that count in bit `row` after: those that, alone, set it in 32 shifts of the reflected polynomial.
  function automatic [31:0] counted(input [4:0] row);
    integer column, n;
    logic [31:0] value;
    begin
      for (column = 0; column < 32; column = column + 1) begin
        value = 32'h1 << column;
        for (n = 0; n < 32; n = n + 1) value = (value >> 1) ^ (value[0] ? 32'hEDB88320 : 32'h0);
        counted[column] = value[row];
      end
    end
  endfunction

  wire logic [31:0] mixed = crc_i ^ word_i;

  genvar i;
  generate
    for (i = 0; i < 32; i = i + 1) begin : gen_bit
      localparam logic [31:0] COUNTED = counted(5'(i));
      assign crc_o[i] = ^(mixed & COUNTED);
    end
  endgenerate
endmodule

`default_nettype wire

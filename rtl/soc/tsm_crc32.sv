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
  // Bit 32 * row + column: does the bit `column` before count in bit `row` after? It does if, alone, it sets that bit in 32
  // shifts of the reflected polynomial.
  function automatic [1023:0] matrix(input [31:0] polynomial);
    integer row, column, n;
    logic [31:0] value;
    begin
      for (column = 0; column < 32; column = column + 1) begin
        value = 32'h1 << column;
        for (n = 0; n < 32; n = n + 1) value = (value >> 1) ^ (value[0] ? polynomial : 32'h0);
        for (row = 0; row < 32; row = row + 1) matrix[row*32 + column] = value[row];
      end
    end
  endfunction

  localparam logic [1023:0] COUNTED = matrix(32'hEDB88320);
  wire logic [31:0] mixed = crc_i ^ word_i;

  genvar i;
  generate
    for (i = 0; i < 32; i = i + 1) begin : gen_bit
      assign crc_o[i] = ^(mixed & COUNTED[i*32 +: 32]);
    end
  endgenerate
endmodule

`default_nettype wire

// One step of zlib's CRC-32 over a 32-bit word (its low byte first): the register before, to the register after.
//
// The step is linear in (register ^ word), so each bit after is the parity of some bits before; COLUMNS[j] is what bit j
// alone becomes in 32 shifts of the reflected polynomial. Start with all ones; the checksum is the complement at the end.
`default_nettype none

module tsm_crc32 (
    input  wire logic [31:0] crc_i,
    input  wire logic [31:0] word_i,
    output      logic [31:0] crc_o
);
  localparam logic [31:0] POLYNOMIAL = 32'hEDB88320;

  function automatic [31:0] shifted(input [31:0] value);
    integer n;
    begin
      shifted = value;
      for (n = 0; n < 32; n = n + 1) shifted = (shifted >> 1) ^ (shifted[0] ? POLYNOMIAL : 32'h0);
    end
  endfunction

  wire logic [31:0] mixed = crc_i ^ word_i;
  wire logic [1023:0] terms;  // bit j of column i: does bit j before count in bit i after, and is it set

  genvar i, j;
  generate
    for (j = 0; j < 32; j = j + 1) begin : gen_column
      localparam logic [31:0] COLUMN = shifted(32'h1 << j);
      for (i = 0; i < 32; i = i + 1) begin : gen_row
        assign terms[i*32 + j] = COLUMN[i] & mixed[j];
      end
    end
    for (i = 0; i < 32; i = i + 1) begin : gen_parity
      assign crc_o[i] = ^terms[i*32 +: 32];
    end
  endgenerate
endmodule

`default_nettype wire

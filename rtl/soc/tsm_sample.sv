// What a 16-bit sample becomes, v = sample - offset, without registers:
//
//   format 0  clamp((v + half) >> shift, -128, 127)     half = 2**(shift-1), or 0 for shift 0
//          1  clamp((v + half) >> shift, 0, 255)
//          2  v = 256 * h + l in two int8, h first; v clamped to what they hold
//          3  v >> shift, then v mod 2**shift, in two uint8; v clamped to what they hold; shift 1 to 8
`default_nettype none

module tsm_sample (
    input  wire logic [15:0] sample_i,
    input  wire logic [15:0] offset_i,
    input  wire logic [1:0]  format_i,
    input  wire logic [3:0]  shift_i,
    output wire logic [15:0] bytes_o,
    output wire logic        pair_o   // both bytes count
);
  wire logic signed [19:0] v = 20'($signed(sample_i)) - 20'($signed(offset_i));
  wire logic signed [19:0] half = shift_i == '0 ? 20'sd0 : 20'sd1 <<< (shift_i - 1'b1);
  wire logic signed [19:0] scaled = (v + half) >>> shift_i;

  wire logic is_signed = format_i == tsm_soc_pkg::FORMAT_INT8[1:0];
  wire logic signed [19:0] least = is_signed ? -20'sd128 : 20'sd0;
  wire logic signed [19:0] largest = is_signed ? 20'sd127 : 20'sd255;
  wire logic signed [19:0] byte_v = scaled < least ? least : scaled > largest ? largest : scaled;

  wire logic signed [19:0] both = v < -20'sd32896 ? -20'sd32896 : v > 20'sd32639 ? 20'sd32639 : v;
  wire logic signed [19:0] rounded = both + 20'sd128;

  wire logic signed [19:0] top = (20'sd256 <<< shift_i) - 20'sd1;
  wire logic signed [19:0] held = v < 20'sd0 ? 20'sd0 : v > top ? top : v;
  wire logic signed [19:0] upper = held >>> shift_i;
  wire logic [7:0] lower = held[7:0] & ~(8'hff << shift_i);

  wire logic split = format_i == tsm_soc_pkg::FORMAT_SPLIT[1:0];
  assign pair_o = split || format_i == tsm_soc_pkg::FORMAT_PAIR[1:0];
  assign bytes_o = split ? {lower, upper[7:0]} : pair_o ? {both[7:0], rounded[15:8]} : {8'd0, byte_v[7:0]};

  wire logic unused = &{1'b0, byte_v[19:8], both[19:8], rounded[19:16], rounded[7:0], held[19:8], upper[19:8]};
endmodule

`default_nettype wire

// What a 16-bit sample becomes, v = sample - offset, two clocks after it came; a sample a clock goes through:
//
//   format 0  clamp((v + half) >> shift, -128, 127)     half = 2**(shift-1), or 0 for shift 0
//          1  clamp((v + half) >> shift, 0, 255)
//          2  v = 256 * h + l in two int8, h first; v clamped to what they hold
//          3  v >> shift, then v mod 2**shift, in two uint8; v clamped to what they hold; shift 1 to 8
//          4  clamp((v + half) >> shift, -32768, 32767), low byte first
`default_nettype none

module tsm_sample (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        clear_i,  // forget what is on its way
    // How; steady while samples come
    input  wire logic [15:0] offset_i,
    input  wire logic [2:0]  format_i,
    input  wire logic [3:0]  shift_i,
    output wire logic        pair_o,   // both bytes count
    // Samples in
    input  wire logic        s_valid_i,
    output wire logic        s_ready_o,
    input  wire logic [15:0] s_data_i,
    // Bytes out
    output wire logic        m_valid_o,
    input  wire logic        m_ready_i,
    output wire logic [15:0] m_data_o
);
  // The sample that came, and its bytes: a memory stands in front, and the packer behind.
  logic came_q, made_q;
  logic [15:0] sample_q, bytes_q;
  wire logic make = !made_q || m_ready_i;
  assign s_ready_o = !came_q || make;
  assign m_valid_o = made_q;
  assign m_data_o = bytes_q;

  wire logic signed [19:0] v = 20'($signed(sample_q)) - 20'($signed(offset_i));
  wire logic signed [19:0] half = shift_i == '0 ? 20'sd0 : 20'sd1 <<< (shift_i - 1'b1);
  wire logic signed [19:0] scaled = (v + half) >>> shift_i;

  wire logic is_signed = format_i == tsm_soc_pkg::FORMAT_INT8[2:0];
  wire logic wide = format_i == tsm_soc_pkg::FORMAT_INT16[2:0];
  wire logic signed [19:0] least = wide ? -20'sd32768 : is_signed ? -20'sd128 : 20'sd0;
  wire logic signed [19:0] largest = wide ? 20'sd32767 : is_signed ? 20'sd127 : 20'sd255;
  wire logic signed [19:0] limited = scaled < least ? least : scaled > largest ? largest : scaled;

  wire logic signed [19:0] both = v < -20'sd32896 ? -20'sd32896 : v > 20'sd32639 ? 20'sd32639 : v;
  wire logic signed [19:0] rounded = both + 20'sd128;

  wire logic signed [19:0] top = (20'sd256 <<< shift_i) - 20'sd1;
  wire logic signed [19:0] held = v < 20'sd0 ? 20'sd0 : v > top ? top : v;
  wire logic signed [19:0] upper = held >>> shift_i;
  wire logic [7:0] lower = held[7:0] & ~(8'hff << shift_i);

  wire logic split = format_i == tsm_soc_pkg::FORMAT_SPLIT[2:0];
  wire logic pair = format_i == tsm_soc_pkg::FORMAT_PAIR[2:0];
  assign pair_o = split || pair || wide;
  wire logic [15:0] bytes = split ? {lower, upper[7:0]} : pair ? {both[7:0], rounded[15:8]}
                          : {wide ? limited[15:8] : 8'd0, limited[7:0]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {came_q, made_q} <= 2'b00;
    else if (clear_i) {came_q, made_q} <= 2'b00;
    else begin
      if (s_ready_o) came_q <= s_valid_i;
      if (make) made_q <= came_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (s_ready_o) sample_q <= s_data_i;
    if (make) bytes_q <= bytes;
  end

  wire logic unused = &{1'b0, limited[19:16], both[19:8], rounded[19:16], rounded[7:0], held[19:8], upper[19:8]};
endmodule

`default_nettype wire

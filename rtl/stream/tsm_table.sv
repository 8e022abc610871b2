// Any function of a byte, lane by lane: every lane of a word is replaced by its line of TABLE, which has 256 lines. A word
// leaves a clock after it came; both sides may move in one clock.
`default_nettype none

module tsm_table #(
    parameter integer LANES = 1,
    parameter integer OUT_W = 8,
    parameter TABLE = "table.mem"
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // Bytes in
    input  wire logic                   s_valid_i,
    output wire logic                   s_ready_o,
    input  wire logic [LANES*8-1:0]     s_data_i,
    // Results out
    output wire logic                   m_valid_o,
    input  wire logic                   m_ready_i,
    output wire logic [LANES*OUT_W-1:0] m_data_o
);
  logic valid_q;
  wire logic step = !valid_q || m_ready_i;

  assign s_ready_o = step;
  assign m_valid_o = valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (step) valid_q <= s_valid_i;
  end

  genvar l;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : gen_lane
      logic [OUT_W-1:0] rom [0:255];
      logic [OUT_W-1:0] out_q;
      initial $readmemh(TABLE, rom);
      always_ff @(posedge clk_i) begin
        if (step) out_q <= rom[s_data_i[l*8 +: 8]];
      end
      assign m_data_o[l*OUT_W +: OUT_W] = out_q;
    end
  endgenerate
endmodule

`default_nettype wire

// Lanes leave in the order in which they came, each once and unchanged: whichever lane the solver watches, the lane of
// that number that goes out is it, and it does not go out before it was there.
`default_nettype none

module formal_order #(
    parameter integer LANE_W = 1,
    parameter integer IN_LANES = 1,
    parameter integer OUT_LANES = 1
) (
    input wire logic                        clk_i,
    input wire logic                        rst_ni,
    input wire logic                        s_valid_i,
    input wire logic [5:0]                  s_count_i,
    input wire logic [IN_LANES*LANE_W-1:0]  s_data_i,
    input wire logic                        m_valid_i,
    input wire logic [5:0]                  m_count_i,
    input wire logic [OUT_LANES*LANE_W-1:0] m_data_i
);
  (* anyconst *) logic [3:0] number;
  wire logic [5:0] which = 6'(number);
  logic [LANE_W-1:0] watched_q;
  wire logic comes = s_valid_i && s_count_i == which / 6'(IN_LANES);
  wire logic came = s_count_i > which / 6'(IN_LANES);
  wire logic [LANE_W-1:0] in_lane = s_data_i[(32'(which) % IN_LANES)*LANE_W +: LANE_W];
  wire logic [LANE_W-1:0] out_lane = m_data_i[(32'(which) % OUT_LANES)*LANE_W +: LANE_W];

  always_ff @(posedge clk_i) begin
    if (comes) watched_q <= in_lane;
    if (rst_ni && m_valid_i && m_count_i == which / 6'(OUT_LANES)) begin
      assert (came || comes);
      assert (out_lane == (comes ? in_lane : watched_q));
    end
  end
endmodule

`default_nettype wire

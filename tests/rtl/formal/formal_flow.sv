// From one stream in to one stream out: each frame of IN words makes a frame of OUT words, none lost, none made up, and
// words never stop moving while both ends want them to.
//
//   EARLY: words that may go out for a frame before it is complete; fork gives a word while it is still offered
`default_nettype none

module formal_flow #(
    parameter integer IN = 1,
    parameter integer OUT = 1,
    parameter integer EARLY = 0,
    parameter integer PATIENCE = 4
) (
    input wire logic       clk_i,
    input wire logic       rst_ni,
    input wire logic       moves_i,     // a word moves somewhere
    input wire logic       wanted_i,    // every source offers and every sink is ready
    input wire logic       draining_i,  // no source offers and every sink is ready
    input wire logic [5:0] s_count_i,
    input wire logic [5:0] m_count_i
);
  logic [5:0] wanted_q, draining_q;

  always_ff @(posedge clk_i) begin
    wanted_q   <= !rst_ni || moves_i || !wanted_i ? 6'd0 : wanted_q + 6'd1;
    draining_q <= !rst_ni || moves_i || !draining_i ? 6'd0 : draining_q + 6'd1;
    if (rst_ni) begin
      assert (10'(m_count_i) <= 10'(s_count_i / 6'(IN)) * 10'(OUT) + 10'(EARLY));
      assert (wanted_q < 6'(PATIENCE));
      if (draining_q == 6'(PATIENCE) && s_count_i % 6'(IN) == 6'd0) begin
        assert (10'(m_count_i) == 10'(s_count_i / 6'(IN)) * 10'(OUT));
      end
    end
  end
endmodule

`default_nettype wire

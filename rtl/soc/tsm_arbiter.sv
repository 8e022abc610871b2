// Two requesters of one memory port take turns: who had the last grant waits while the other asks. One grant a clock at most.
//
//   request a, b | last grant | grant        while ready_i is high, else none
//   1       0    |     -      | a
//   1       1    |     b      | a
//   1       1    |     a      | b
`default_nettype none

module tsm_arbiter (
    input  wire logic clk_i,
    input  wire logic rst_ni,
    input  wire logic a_req_i,
    input  wire logic b_req_i,
    input  wire logic ready_i,    // the port takes a request in this clock
    output wire logic a_first_o,  // whose request the port should see
    output wire logic a_gnt_o,
    output wire logic b_gnt_o
);
  logic last_a_q;

  assign a_first_o = a_req_i && !(b_req_i && last_a_q);
  assign a_gnt_o = ready_i && a_first_o;
  assign b_gnt_o = ready_i && b_req_i && !a_first_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) last_a_q <= 1'b0;
    else if (a_gnt_o) last_a_q <= 1'b1;
    else if (b_gnt_o) last_a_q <= 1'b0;
  end

`ifdef FORMAL
  logic a_lost_q, b_lost_q;  // asked, and the port served the other
  initial {a_lost_q, b_lost_q} = 2'b00;
  always_ff @(posedge clk_i) begin
    a_lost_q <= rst_ni && a_req_i && b_gnt_o;
    b_lost_q <= rst_ni && b_req_i && a_gnt_o;
    if (rst_ni) begin
      assert (!(a_gnt_o && b_gnt_o));
      assert (!a_gnt_o || a_req_i);
      assert (!b_gnt_o || b_req_i);
      assert (!(ready_i && (a_req_i || b_req_i)) || a_gnt_o || b_gnt_o);
      assert (!(a_lost_q && a_req_i && b_gnt_o));
      assert (!(b_lost_q && b_req_i && a_gnt_o));
    end
  end
`endif
endmodule

`default_nettype wire

// Two readers of the external memory: bursts of the loader (a) and single words of the processor (b). One burst at a
// time; when both ask, they take turns. A request, once offered, must stay until it is taken.
`default_nettype none

module tsm_ext_arbiter #(
    parameter integer LEN_W = 16
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    // Loader
    input  wire logic             a_req_valid_i,
    output wire logic             a_req_ready_o,
    input  wire logic [31:0]      a_req_addr_i,
    input  wire logic [LEN_W-1:0] a_req_len_i,
    output wire logic             a_rsp_valid_o,
    input  wire logic             a_rsp_ready_i,
    output wire logic [31:0]      a_rsp_data_o,
    // Processor: an access of one word
    input  wire logic             b_sel_i,
    output wire logic             b_ready_o,
    input  wire logic [31:0]      b_addr_i,
    output wire logic [31:0]      b_data_o,
    // External memory: len words from byte address addr
    output wire logic             ext_req_valid_o,
    input  wire logic             ext_req_ready_i,
    output wire logic [31:0]      ext_req_addr_o,
    output wire logic [LEN_W-1:0] ext_req_len_o,
    input  wire logic             ext_rsp_valid_i,
    output wire logic             ext_rsp_ready_o,
    input  wire logic [31:0]      ext_rsp_data_i
);
  logic busy_q, owner_q, turn_q, held_q;  // owner: 1 is the processor; held: its request was not yet taken
  logic [LEN_W-1:0] left_q;

  wire logic choose = held_q ? owner_q : b_sel_i && (!a_req_valid_i || turn_q);
  wire logic request = held_q || a_req_valid_i || b_sel_i;
  wire logic taken = ext_req_valid_o && ext_req_ready_i;
  wire logic word = ext_rsp_valid_i && ext_rsp_ready_o;

  assign ext_req_valid_o = !busy_q && request;
  assign ext_req_addr_o  = choose ? b_addr_i : a_req_addr_i;
  assign ext_req_len_o   = choose ? LEN_W'(1) : a_req_len_i;
  assign a_req_ready_o   = taken && !choose;

  assign a_rsp_valid_o   = busy_q && !owner_q && ext_rsp_valid_i;
  assign a_rsp_data_o    = ext_rsp_data_i;
  assign b_ready_o       = busy_q && owner_q && ext_rsp_valid_i;
  assign b_data_o        = ext_rsp_data_i;
  assign ext_rsp_ready_o = busy_q && (owner_q || a_rsp_ready_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      owner_q <= 1'b0;
      turn_q  <= 1'b0;
      held_q  <= 1'b0;
      left_q  <= '0;
    end else begin
      held_q <= ext_req_valid_o && !ext_req_ready_i;
      if (ext_req_valid_o) owner_q <= choose;
      if (taken) begin
        busy_q <= 1'b1;
        turn_q <= !choose;
        left_q <= ext_req_len_o;
      end else if (word) begin
        left_q <= left_q - 1'b1;
        busy_q <= left_q != LEN_W'(1);
      end
    end
  end

`ifdef FORMAL
  // Words go to one reader only, and never more than were asked for; who had the last burst does not go first.
  logic begun_q = 1'b0;
  always_ff @(posedge clk_i) begin
    begun_q <= 1'b1;
    if (!begun_q) assume (!rst_ni);
    assume (a_req_len_i != '0);
    if (rst_ni && begun_q) begin
      assert (!(a_rsp_valid_o && b_ready_o));
      assert (!busy_q || left_q != '0);
      assert (!(busy_q && ext_req_valid_o));
      assert (!(ext_req_valid_o && !held_q && a_req_valid_i && b_sel_i && choose != turn_q));
    end
  end
`endif
endmodule

`default_nettype wire

// Both descriptor lists with everything around them left to the solver: waits of any pattern up to a bound, any number of
// descriptors up to two, any dependences. Descriptors are right but for those; each load reads one word, 0.
`default_nettype none

module sequencer #(
    parameter integer CALM = 0  // no reset and no flush once started, and the start comes first
) (
    input wire logic       clk_i,
    input wire logic       restart_i,
    input wire logic       start_i,
    input wire logic       flush_i,
    input wire logic [1:0] compute_count_i,
    input wire logic [1:0] load_count_i,
    input wire logic [3:0] after_load_i,     // of two computes
    input wire logic [3:0] after_compute_i,  // of two loads
    input wire logic       go_i,             // the array, or the external memory, gets on in this clock
    input wire logic       ext_go_i
);
  localparam integer PATIENCE = 72;  // clocks without progress
  logic started_q = 1'b0;
  logic running_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  wire logic rst_ni = started_q && !restart_i;
  wire logic start = start_i && !running_q;

  // Constants of the run
  logic [1:0] compute_count_q, load_count_q;
  logic [3:0] after_load_q, after_compute_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) running_q <= 1'b0;
    else if (start) running_q <= 1'b1;
    if (!running_q) {compute_count_q, load_count_q, after_load_q, after_compute_q} <=
                    {compute_count_i, load_count_i, after_load_i, after_compute_i};
    assume (compute_count_i <= 2 && load_count_i <= 2);
    if (CALM != 0) assume (!restart_i && !flush_i && start_i);
    if (running_q || start) assume ({compute_count_q, load_count_q} == {compute_count_i, load_count_i}
                                    && {after_load_q, after_compute_q} == {after_load_i, after_compute_i});
  end

  // Nobody waits for ever: at least every third clock gets on.
  logic [1:0] idle_q = 2'd0, ext_idle_q = 2'd0;
  wire logic go = go_i || idle_q == 2'd2;
  wire logic ext_go = ext_go_i || ext_idle_q == 2'd2;
  always_ff @(posedge clk_i) begin
    idle_q <= go ? 2'd0 : idle_q + 2'd1;
    ext_idle_q <= ext_go ? 2'd0 : ext_idle_q + 2'd1;
  end

  // The array: the nest, then the elements, then the ending, some clocks each
  logic nest_busy_q, array_busy_q, drain_busy_q;
  wire logic nest_start;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || flush_i) {nest_busy_q, array_busy_q, drain_busy_q} <= 3'b000;
    else if (nest_start) {nest_busy_q, array_busy_q, drain_busy_q} <= 3'b111;
    else if (go) {nest_busy_q, array_busy_q, drain_busy_q} <= {1'b0, nest_busy_q, array_busy_q};
  end

  // Descriptor memory: computes from word 0, loads from word 64
  wire logic c_req, l_req, l_gnt;
  wire logic [6:0] c_addr, l_addr;
  wire logic c_gnt = c_req;
  assign l_gnt = l_req && !c_req;
  logic c_rvalid_q, l_rvalid_q;
  logic [31:0] rdata_q;
  wire logic c_second = c_addr >= 7'd24;
  wire logic [6:0] c_word = c_second ? c_addr - 7'd24 : c_addr;
  wire logic [6:0] l_word = {4'd0, l_addr[2:0]};
  always_ff @(posedge clk_i) begin
    {c_rvalid_q, l_rvalid_q} <= rst_ni ? {c_gnt, l_gnt} : 2'b00;
    if (c_gnt) begin
      case (c_word)
        7'd0: rdata_q <= {tsm_soc_pkg::MAGIC_DESCRIPTOR[15:0], 8'h00, tsm_soc_pkg::OP_CONV[7:0]};
        7'd1: rdata_q <= 32'(after_load_q[32'(c_second)*2 +: 2]);
        7'd5, 7'd6: rdata_q <= {16'd1, 16'd1};
        7'd7: rdata_q <= {16'd1, 8'd1, 8'd1};
        7'd10: rdata_q <= {8'd0, 8'd1, 16'd0};
        7'd16: rdata_q <= 32'd1;
        default: rdata_q <= 32'd0;
      endcase
    end else begin
      case (l_word)
        7'd0: rdata_q <= {tsm_soc_pkg::MAGIC_DESCRIPTOR[15:0], 8'h00, tsm_soc_pkg::LOAD_OP_WEIGHTS[7:0]};
        7'd1: rdata_q <= 32'(after_compute_q[32'(l_addr[3])*2 +: 2]);
        7'd3: rdata_q <= 32'd1;
        7'd5: rdata_q <= 32'h2144DF1C;  // CRC-32 of four zero bytes
        default: rdata_q <= 32'd0;
      endcase
    end
  end

  wire logic c_waits, c_done, c_error, l_waits, l_done, l_error, ext_req, ext_ready;
  wire logic [15:0] computes_done, loads_done, c_index;
  tsm_compute #(.PES(4), .LANES(4), .ACT_BYTES(64), .WGT_WORDS(8), .PAR_WORDS(8), .DESC_AW(7)) u_compute (
      .clk_i, .rst_ni, .start_i(start), .flush_i, .base_i(7'd0), .count_i(16'(compute_count_q)),
      .loads_done_i(loads_done), .computes_done_o(computes_done), .waiting_o(c_waits), .done_o(c_done),
      .error_o(c_error), .code_o(), .index_o(c_index),
      .desc_req_o(c_req), .desc_gnt_i(c_gnt), .desc_addr_o(c_addr), .desc_rvalid_i(c_rvalid_q), .desc_rdata_i(rdata_q),
      .nest_start_o(nest_start), .desc_o(), .channelwise_o(), .first_addr_o(), .dil_step_o(), .row_step_o(),
      .nest_busy_i(nest_busy_q), .array_busy_i(array_busy_q), .drain_busy_i(drain_busy_q)
  );
  tsm_loader #(.PES(4), .LANES(4), .WGT_WORDS(8), .PAR_WORDS(8), .DESC_AW(7)) u_loader (
      .clk_i, .rst_ni, .start_i(start), .flush_i, .base_i(7'd64), .count_i(16'(load_count_q)),
      .computes_done_i(computes_done), .loads_done_o(loads_done), .waiting_o(l_waits), .done_o(l_done),
      .error_o(l_error), .code_o(), .loaded_o(),
      .desc_req_o(l_req), .desc_gnt_i(l_gnt), .desc_addr_o(l_addr), .desc_rvalid_i(l_rvalid_q), .desc_rdata_i(rdata_q),
      .ext_req_valid_o(ext_req), .ext_req_ready_i(ext_go), .ext_req_addr_o(), .ext_req_len_o(),
      .ext_rsp_valid_i(ext_go), .ext_rsp_ready_o(ext_ready), .ext_rsp_data_i(32'd0),
      .ld_weight_o(), .ld_param_o(), .ld_pe_o(), .ld_chunk_o(), .ld_addr_o(), .ld_data_o()
  );

  // What tsm_csr calls stuck
  wire logic stuck = (c_waits && (l_waits || l_done)) || (l_waits && c_done);
  wire logic ended = !running_q || (c_done && l_done);
  logic [15:0] c_index_q, computes_q, loads_q;
  logic [6:0] quiet_q;
  logic flushed_q;
  always_ff @(posedge clk_i) begin
    {c_index_q, computes_q, loads_q} <= {c_index, computes_done, loads_done};
    flushed_q <= rst_ni && (flush_i || (flushed_q && !start));
    quiet_q <= !rst_ni || ended || stuck || {c_index, computes_done, loads_done} != {c_index_q, computes_q, loads_q}
               ? 7'd0 : quiet_q + 7'd1;
    if (rst_ni && running_q) begin
      // A compute starts on an empty machine, after its loads; a load reads after its computes.
      if (nest_start) assert (!nest_busy_q && !array_busy_q && !drain_busy_q);
      if (nest_start) assert (32'(loads_done) >= 32'(after_load_q[c_index[0]*2 +: 2]));
      if (nest_start) assert (computes_done == c_index);
      if (ext_req) assert (32'(computes_done) >= 32'(after_compute_q[loads_done[0]*2 +: 2]));
      // Right descriptors are no error, and are all done in the end.
      assert (!c_error && !l_error);
      if (c_done && l_done && !flushed_q && !flush_i && quiet_q == 7'd0 && computes_q != 16'd0)
        assert (computes_done == 16'(compute_count_q) || loads_done != 16'(load_count_q));
      // Something moves, or the lists wait for each other and it is said so; then neither can ever go on.
      assert (quiet_q < PATIENCE);
      if (stuck && c_waits) assert (loads_done < 16'(after_load_q[c_index[0]*2 +: 2]) && !nest_busy_q);
    end
  end
endmodule

`default_nettype wire

// The two lists of a run and the registers that start and end it, joined as in tsm_accel, with any descriptors, memories,
// machine and processor around them, for ever; but the processor leaves where and how long the lists are while they run.
//
//   - where memories answer and the machine works, a run always moves: it ends, if only by DEADLOCK
//   - DEADLOCK is true: the next compute waits for a load that cannot come, or the next load for a compute that cannot,
//     with nothing under way that could still change that
//   - lists start when both are at rest
`default_nettype none

module formal_lists (
    input wire logic        clk_i,
    input wire logic        req_i,
    input wire logic        we_i,
    input wire logic [7:0]  addr_i,
    input wire logic [31:0] wdata_i,
    input wire logic        c_gnt_i,
    input wire logic        l_gnt_i,
    input wire logic [31:0] c_rdata_i,
    input wire logic [31:0] l_rdata_i,
    input wire logic        ext_req_ready_i,
    input wire logic        ext_rsp_valid_i,
    input wire logic [31:0] ext_rsp_data_i,
    input wire logic        eases_i   // nest, array or ending is ready, in this order
);
  localparam integer DAW = 8;
  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  wire logic start, flush, irq, rvalid, nest_start, channelwise, ld_weight, ld_param;
  wire logic c_done, c_error, c_waits, c_req, l_done, l_error, l_waits, l_req, loaded, ext_req_valid, ext_rsp_ready;
  wire logic [7:0] c_code, l_code;
  wire logic [15:0] c_base, c_count, l_base, l_count, c_index, computes_done, loads_done, ext_req_len, ld_addr;
  wire logic [31:0] rdata, ext_req_addr, ld_data;
  wire logic [DAW-1:0] c_addr, l_addr;
  wire logic [24*32-1:0] desc;
  wire logic [9:0] first_addr, dil_step, row_step;
  wire logic [1:0] ld_pe, ld_chunk;
  logic c_rvalid_q, l_rvalid_q;
  logic [1:0] working_q;  // 3: nest, array and ending are busy, 2: array and ending, 1: ending

  tsm_csr csr (
      .clk_i, .rst_ni(rst_n), .req_i, .we_i, .addr_i, .wdata_i, .rvalid_o(rvalid), .rdata_o(rdata),
      .start_o(start), .flush_o(flush), .compute_base_o(c_base), .compute_count_o(c_count), .load_base_o(l_base),
      .load_count_o(l_count), .compute_done_i(c_done), .compute_error_i(c_error), .compute_code_i(c_code),
      .compute_index_i(c_index), .load_done_i(l_done), .load_error_i(l_error), .load_code_i(l_code),
      .load_index_i(loads_done), .active_i(1'b0), .stall_i(1'b0), .compute_waits_i(c_waits), .load_waits_i(l_waits),
      .loaded_i(loaded), .irq_o(irq)
  );

  tsm_compute #(
      .PES(4), .LANES(4), .ACT_BYTES(1024), .WGT_WORDS(64), .PAR_WORDS(16), .DESC_AW(DAW)
  ) compute (
      .clk_i, .rst_ni(rst_n), .start_i(start), .flush_i(flush), .base_i(DAW'(c_base)), .count_i(c_count),
      .loads_done_i(loads_done), .computes_done_o(computes_done), .waiting_o(c_waits), .done_o(c_done),
      .error_o(c_error), .code_o(c_code), .index_o(c_index), .desc_req_o(c_req), .desc_gnt_i(c_gnt_i),
      .desc_addr_o(c_addr), .desc_rvalid_i(c_rvalid_q), .desc_rdata_i(c_rdata_i), .nest_start_o(nest_start),
      .desc_o(desc), .channelwise_o(channelwise), .first_addr_o(first_addr), .dil_step_o(dil_step),
      .row_step_o(row_step), .nest_busy_i(working_q == 2'd3), .array_busy_i(working_q >= 2'd2),
      .drain_busy_i(working_q >= 2'd1)
  );

  tsm_loader #(.PES(4), .LANES(4), .WGT_WORDS(64), .PAR_WORDS(16), .DESC_AW(DAW)) loader (
      .clk_i, .rst_ni(rst_n), .start_i(start), .flush_i(flush), .base_i(DAW'(l_base)), .count_i(l_count),
      .computes_done_i(computes_done), .loads_done_o(loads_done), .waiting_o(l_waits), .done_o(l_done),
      .error_o(l_error), .code_o(l_code), .loaded_o(loaded), .desc_req_o(l_req), .desc_gnt_i(l_gnt_i),
      .desc_addr_o(l_addr), .desc_rvalid_i(l_rvalid_q), .desc_rdata_i(l_rdata_i), .ext_req_valid_o(ext_req_valid),
      .ext_req_ready_i, .ext_req_addr_o(ext_req_addr), .ext_req_len_o(ext_req_len), .ext_rsp_valid_i,
      .ext_rsp_ready_o(ext_rsp_ready), .ext_rsp_data_i, .ld_weight_o(ld_weight), .ld_param_o(ld_param), .ld_pe_o(ld_pe),
      .ld_chunk_o(ld_chunk), .ld_addr_o(ld_addr), .ld_data_o(ld_data)
  );

  // What the parts know of themselves
  (* hierconn *) wire logic \csr.busy_q ;
  (* hierconn *) wire logic [7:0] \csr.code_q ;
  (* hierconn *) wire logic [30:0] \compute.now ;
  (* hierconn *) wire logic [41:0] \loader.now ;
  (* hierconn *) wire logic [31:0] \loader.after_compute ;
  wire logic [1:0] state = \compute.now [30:29];  // of tsm_compute: 0 done, 1 fetch, 2 run, 3 last
  wire logic busy = \csr.busy_q ;
  wire logic [76:0] now = {busy, flush, start, working_q, \compute.now , \loader.now };
  wire logic free = (c_gnt_i || !c_req) && (l_gnt_i || !l_req) && ext_req_ready_i && ext_rsp_valid_i && eases_i;
  wire logic deadlock = 32'(\csr.code_q ) == tsm_soc_pkg::ERR_DEADLOCK;
  logic [76:0] was_q;
  logic [2:0] still_q;
  logic [15:0] begun_q;  // computes of the run
  logic deadlock_q, true_q;
  wire logic compute_cannot = c_waits && 32'(loads_done) < desc[tsm_soc_pkg::COMPUTE_AFTER_LOAD_LSB +: 32];
  wire logic load_cannot = l_waits && 32'(begun_q) < \loader.after_compute ;

  always_ff @(posedge clk_i) begin
    {c_rvalid_q, l_rvalid_q} <= {rst_n && c_req && c_gnt_i, rst_n && l_req && l_gnt_i};
    was_q <= now;
    if (!rst_n) begin
      {working_q, still_q, begun_q, deadlock_q, true_q} <= '0;
      assume (!c_rvalid_q && !l_rvalid_q && working_q == '0);
    end else begin
      working_q <= flush ? '0 : nest_start ? 2'd3 : working_q - 2'(eases_i && working_q != '0);
      still_q <= busy && free && was_q == now ? still_q + 3'd1 : '0;
      begun_q <= start ? '0 : begun_q + 16'(nest_start);
      deadlock_q <= deadlock && !start;
      true_q <= working_q == '0 && begun_q == computes_done
             && ((compute_cannot && (load_cannot || l_done)) || (load_cannot && c_done));
      assume (!(busy && req_i && we_i && 32'(addr_i) >= tsm_soc_pkg::CSR_COMPUTE_BASE));
      assert (busy || (c_done && l_done));
      assert (!start || (c_done && l_done && busy));
      assert (still_q < 3'd5);
      assert (!(deadlock && !deadlock_q) || true_q);
      // Why
      assert (c_done || (state == 2'd3 ? c_index == c_count && c_count != '0 : c_index < c_count));
      assert (l_done || loads_done < l_count);
      assert (c_done || computes_done <= c_index);
      assert (!(busy && c_done) || flush || start || begun_q == computes_done);
      assert (c_done || flush || begun_q == c_index + 16'(state == 2'd2));
    end
  end
endmodule

`default_nettype wire

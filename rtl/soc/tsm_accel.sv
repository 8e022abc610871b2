// The accelerator: runs lists of load and compute descriptors over its activation memory, and interrupts.
//
//   CPU --AXI4-Lite--> registers ----> sequencer --> nest --> activation memory --> PES elements --> ending --+
//               +----> descriptor memory --^  |                       ^  ^  ^                                  |
//                                          loader --> weights         |  |  +----------------------------------+
//   external memory --words-----------------^        samples, results-+  +-- CPU
`default_nettype none

module tsm_accel #(
    parameter integer PES = 8,           // processing elements: output channels at once
    parameter integer LANES = 8,         // inputs an element takes in a clock
    parameter integer RQS = 4,           // requantizers
    parameter integer ACT_BYTES = 65536, // activation memory
    parameter integer WGT_WORDS = 1024,  // words of LANES weights, in each element
    parameter integer PAR_WORDS = 256,   // biases and multipliers, in each element
    parameter integer DESC_WORDS = 2048, // words of 32 bits
    parameter integer KIND = 0,          // tsm_dot's: 0 multiply, 1 shift and add, 2 XNOR and popcount
    parameter integer OPS = 15           // optional operators: bit 0 addition, 1 maximum pool, 2 history, 3 tables
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // AXI4-Lite slave, byte addresses: registers at 0, descriptor memory at 0x1_0000, activation memory at 0x10_0000
    input  wire logic        axil_awvalid_i,
    output wire logic        axil_awready_o,
    input  wire logic [31:0] axil_awaddr_i,
    input  wire logic        axil_wvalid_i,
    output wire logic        axil_wready_o,
    input  wire logic [31:0] axil_wdata_i,
    input  wire logic [3:0]  axil_wstrb_i,
    output wire logic        axil_bvalid_o,
    input  wire logic        axil_bready_i,
    output wire logic [1:0]  axil_bresp_o,
    input  wire logic        axil_arvalid_i,
    output wire logic        axil_arready_o,
    input  wire logic [31:0] axil_araddr_i,
    output wire logic        axil_rvalid_o,
    input  wire logic        axil_rready_i,
    output wire logic [31:0] axil_rdata_o,
    output wire logic [1:0]  axil_rresp_o,
    // Activation memory, for samples and results: aligned words; a read's data comes later, in order
    input  wire logic        dma_req_valid_i,
    output wire logic        dma_req_ready_o,
    input  wire logic        dma_req_write_i,
    input  wire logic [31:0] dma_req_addr_i,
    input  wire logic [31:0] dma_req_wdata_i,
    input  wire logic [3:0]  dma_req_wstrb_i,
    output wire logic        dma_rsp_valid_o,
    output wire logic [31:0] dma_rsp_data_o,
    // External memory, read only: a request of `len` words from byte address `addr`, then its words in order
    output wire logic        ext_req_valid_o,
    input  wire logic        ext_req_ready_i,
    output wire logic [31:0] ext_req_addr_o,
    output wire logic [15:0] ext_req_len_o,
    input  wire logic        ext_rsp_valid_i,
    output wire logic        ext_rsp_ready_o,
    input  wire logic [31:0] ext_rsp_data_i,
    // High from the end of a run, or an error, until the CPU clears the status, while interrupts are enabled
    output wire logic        irq_o
);
  localparam integer AW = $clog2(ACT_BYTES);
  localparam integer DAW = $clog2(DESC_WORDS);
  localparam integer WAW = $clog2(WGT_WORDS);
  localparam integer PAW = $clog2(PAR_WORDS);
  localparam integer PEW = $clog2(PES);
  localparam integer BYTES = RQS > 4 ? RQS : 4;
  localparam integer WIDEST = PES > LANES ? PES : LANES;
  localparam integer TABLES = OPS[3] ? tsm_soc_pkg::TABLES : 0;
  localparam integer BANKS = WIDEST > 4 ? WIDEST : 4;
  localparam [31:0] IDENTITY = tsm_soc_pkg::identity(
      PES, LANES, RQS, ACT_BYTES, WGT_WORDS, PAR_WORDS, DESC_WORDS, KIND, OPS);

  // The CPU's bus, and what of it each block sees
  wire logic bus_req, bus_gnt, bus_we, bus_rvalid;
  wire logic [31:0] bus_addr, bus_wdata, bus_rdata;
  wire logic [3:0] bus_be;
  wire logic to_act = bus_addr[20];
  wire logic to_desc = bus_addr[16] && !to_act;
  wire logic to_csr = !bus_addr[16] && !to_act;
  wire logic desc_gnt, desc_rvalid, csr_rvalid, cpu_act_gnt;
  logic cpu_act_rvalid_q, dma_act_rvalid_q;
  wire logic [31:0] desc_rdata, csr_rdata, act_rdata;
  assign bus_gnt = bus_req && (to_csr || (to_desc && desc_gnt) || (to_act && cpu_act_gnt));
  assign bus_rvalid = csr_rvalid || desc_rvalid || cpu_act_rvalid_q;
  assign bus_rdata = csr_rvalid ? csr_rdata : desc_rvalid ? desc_rdata : act_rdata;

  tsm_axil u_axil (
      .clk_i, .rst_ni,
      .axil_awvalid_i, .axil_awready_o, .axil_awaddr_i, .axil_wvalid_i, .axil_wready_o, .axil_wdata_i, .axil_wstrb_i,
      .axil_bvalid_o, .axil_bready_i, .axil_bresp_o, .axil_arvalid_i, .axil_arready_o, .axil_araddr_i,
      .axil_rvalid_o, .axil_rready_i, .axil_rdata_o, .axil_rresp_o,
      .bus_req_o(bus_req), .bus_gnt_i(bus_gnt), .bus_we_o(bus_we), .bus_addr_o(bus_addr), .bus_be_o(bus_be),
      .bus_wdata_o(bus_wdata), .bus_rvalid_i(bus_rvalid), .bus_rdata_i(bus_rdata)
  );

  // Registers and the run
  wire logic start, flush;
  wire logic [15:0] compute_base, compute_count, load_base, load_count, computes_done, loads_done, compute_index;
  wire logic compute_done, compute_error, compute_waits, load_done, load_error, load_waits, loaded, step, stall;
  wire logic [7:0] compute_code, load_code;

  tsm_csr #(.IDENTITY(IDENTITY)) u_csr (
      .clk_i, .rst_ni,
      .req_i(bus_req && to_csr), .we_i(bus_we), .addr_i(bus_addr[7:0]), .wdata_i(bus_wdata),
      .rvalid_o(csr_rvalid), .rdata_o(csr_rdata),
      .start_o(start), .flush_o(flush), .compute_base_o(compute_base), .compute_count_o(compute_count),
      .load_base_o(load_base), .load_count_o(load_count),
      .compute_done_i(compute_done), .compute_error_i(compute_error), .compute_code_i(compute_code),
      .compute_index_i(compute_index),
      .load_done_i(load_done), .load_error_i(load_error), .load_code_i(load_code), .load_index_i(loads_done),
      .active_i(step), .stall_i(stall), .compute_waits_i(compute_waits), .load_waits_i(load_waits),
      .loaded_i(loaded), .irq_o
  );

  // Descriptors and the two lists
  wire logic c_req, c_gnt, c_rvalid, l_req, l_gnt, l_rvalid;
  wire logic [DAW-1:0] c_addr, l_addr;
  tsm_desc_mem #(.DESC_WORDS(DESC_WORDS)) u_desc_mem (
      .clk_i, .rst_ni,
      .compute_req_i(c_req), .compute_gnt_o(c_gnt), .compute_addr_i(c_addr), .compute_rvalid_o(c_rvalid),
      .load_req_i(l_req), .load_gnt_o(l_gnt), .load_addr_i(l_addr), .load_rvalid_o(l_rvalid),
      .bus_req_i(bus_req && to_desc), .bus_gnt_o(desc_gnt), .bus_we_i(bus_we), .bus_addr_i(bus_addr[DAW+1:2]),
      .bus_wdata_i(bus_wdata), .bus_rvalid_o(desc_rvalid), .rdata_o(desc_rdata)
  );

  wire logic nest_start, nest_busy, array_busy, drain_busy, channelwise;
  wire logic [24*32-1:0] desc;
  wire logic [AW-1:0] first_addr, dil_step, row_step;
  tsm_compute #(
      .PES(PES), .LANES(LANES), .ACT_BYTES(ACT_BYTES), .WGT_WORDS(WGT_WORDS), .PAR_WORDS(PAR_WORDS), .OPS(OPS),
      .BITS(KIND == 2 ? 1 : 0), .DESC_AW(DAW)
  ) u_compute (
      .clk_i, .rst_ni,
      .start_i(start), .flush_i(flush), .base_i(DAW'(compute_base)), .count_i(compute_count),
      .loads_done_i(loads_done), .computes_done_o(computes_done), .waiting_o(compute_waits), .done_o(compute_done),
      .error_o(compute_error), .code_o(compute_code), .index_o(compute_index),
      .desc_req_o(c_req), .desc_gnt_i(c_gnt), .desc_addr_o(c_addr), .desc_rvalid_i(c_rvalid), .desc_rdata_i(desc_rdata),
      .nest_start_o(nest_start), .desc_o(desc), .channelwise_o(channelwise), .first_addr_o(first_addr),
      .dil_step_o(dil_step), .row_step_o(row_step),
      .nest_busy_i(nest_busy), .array_busy_i(array_busy), .drain_busy_i(drain_busy)
  );

  wire logic ld_weight, ld_param, ld_table;
  wire logic [PEW-1:0] ld_pe;
  wire logic [1:0] ld_chunk;
  wire logic [15:0] ld_addr;
  wire logic [31:0] ld_data;
  tsm_loader #(
      .PES(PES), .LANES(LANES), .WGT_WORDS(WGT_WORDS), .PAR_WORDS(PAR_WORDS), .TABLES(TABLES), .DESC_AW(DAW)
  ) u_loader (
      .clk_i, .rst_ni,
      .start_i(start), .flush_i(flush), .base_i(DAW'(load_base)), .count_i(load_count),
      .computes_done_i(computes_done), .loads_done_o(loads_done), .waiting_o(load_waits), .done_o(load_done),
      .error_o(load_error), .code_o(load_code), .loaded_o(loaded),
      .desc_req_o(l_req), .desc_gnt_i(l_gnt), .desc_addr_o(l_addr), .desc_rvalid_i(l_rvalid), .desc_rdata_i(desc_rdata),
      .ext_req_valid_o, .ext_req_ready_i, .ext_req_addr_o, .ext_req_len_o, .ext_rsp_valid_i, .ext_rsp_ready_o,
      .ext_rsp_data_i,
      .ld_weight_o(ld_weight), .ld_param_o(ld_param), .ld_table_o(ld_table), .ld_pe_o(ld_pe), .ld_chunk_o(ld_chunk),
      .ld_addr_o(ld_addr), .ld_data_o(ld_data)
  );

  // How the running descriptor works
  wire logic [7:0] opcode = desc[tsm_soc_pkg::COMPUTE_OPCODE_LSB +: 8];
  wire logic [1:0] ending = desc[tsm_soc_pkg::COMPUTE_ENDING_LSB +: 2];
  wire logic pair = 32'(opcode) == tsm_soc_pkg::OP_ADD;
  wire logic [1:0] op = pair ? 2'd2 : 32'(opcode) == tsm_soc_pkg::OP_MAXPOOL ? 2'd1
                      : KIND == 2 && 32'(opcode) == tsm_soc_pkg::OP_BITPOOL ? 2'd3 : 2'd0;
  wire logic raw = 32'(ending) == tsm_soc_pkg::END_RAW;
  wire logic threshold = 32'(ending) == tsm_soc_pkg::END_THRESHOLD;
  wire logic bits = threshold && KIND == 2;  // then eight channels stand in a byte
  wire logic wide_in = KIND != 2 && desc[tsm_soc_pkg::COMPUTE_WIDE_IN_LSB];  // two bytes a value
  wire logic wide_out = KIND != 2 && desc[tsm_soc_pkg::COMPUTE_WIDE_OUT_LSB];

  // Steps, words, sums, results, bytes
  wire logic pause, s1_step, s1_first, s1_last, result_start, wr_valid;
  wire logic [AW-1:0] s1_addr, s1_out_addr, result_addr, wr_addr;
  wire logic [4:0] s1_before, s1_inside, s1_run;
  wire logic [WAW-1:0] s1_w_addr;
  wire logic [PAW-1:0] s1_p_addr;
  wire logic [2:0] s1_ky;
  wire logic [7:0] s1_count, result_count;
  wire logic [LANES*8-1:0] word;
  wire logic [PES*32-1:0] results, multipliers;
  wire logic [BYTES-1:0] wr_be;
  wire logic [BYTES*8-1:0] wr_data;
  assign step = s1_step;

  tsm_nest #(
      .PES(PES), .LANES(LANES), .RQS(RQS), .ADDR_W(AW), .W_ADDR_W(WAW), .P_ADDR_W(PAW)
  ) u_nest (
      .clk_i, .rst_ni, .flush_i(flush), .pause_i(pause),
      .start_i(nest_start), .desc_i(desc), .channelwise_i(channelwise), .raw_i(raw), .packed_i(bits),
      .wide_in_i(wide_in), .wide_out_i(wide_out), .first_addr_i(first_addr),
      .dil_step_i(dil_step), .row_step_i(row_step), .busy_o(nest_busy), .stall_o(stall),
      .step_o(s1_step), .addr_o(s1_addr), .before_o(s1_before), .inside_o(s1_inside), .run_o(s1_run),
      .w_addr_o(s1_w_addr), .p_addr_o(s1_p_addr), .ky_o(s1_ky), .first_o(s1_first), .last_o(s1_last),
      .out_addr_o(s1_out_addr), .count_o(s1_count)
  );

  tsm_array #(
      .PES(PES), .LANES(LANES), .WGT_WORDS(WGT_WORDS), .PAR_WORDS(PAR_WORDS), .KIND(KIND), .HISTORY(OPS[2] ? 1 : 0),
      .ADDR_W(AW)
  ) u_array (
      .clk_i, .rst_ni, .flush_i(flush),
      .op_i(op), .own_i(channelwise), .wide_i(wide_in), .history_i(desc[tsm_soc_pkg::COMPUTE_HISTORY_LSB]),
      .pad_none_i(desc[tsm_soc_pkg::COMPUTE_PAD_NONE_LSB]),
      .in_signed_i(desc[tsm_soc_pkg::COMPUTE_IN_SIGNED_LSB]), .in2_signed_i(desc[tsm_soc_pkg::COMPUTE_IN2_SIGNED_LSB]),
      .pad_byte_i(desc[tsm_soc_pkg::COMPUTE_PAD_BYTE_LSB +: 8]),
      .in2_zero_i(desc[tsm_soc_pkg::COMPUTE_IN2_ZERO_LSB +: 8]),
      .step_i(s1_step), .before_i(s1_before), .inside_i(s1_inside), .run_i(s1_run), .w_addr_i(s1_w_addr),
      .p_addr_i(s1_p_addr), .ky_i(s1_ky), .first_i(s1_first), .last_i(s1_last), .out_addr_i(s1_out_addr),
      .count_i(s1_count), .word_i(word),
      .ld_weight_i(ld_weight), .ld_param_i(ld_param), .ld_pe_i(ld_pe), .ld_chunk_i(ld_chunk), .ld_addr_i(ld_addr),
      .ld_data_i(ld_data),
      .start_o(result_start), .out_addr_o(result_addr), .count_o(result_count), .results_o(results),
      .multipliers_o(multipliers), .busy_o(array_busy)
  );

  tsm_drain #(.PES(PES), .RQS(RQS), .ADDR_W(AW), .BYTES(BYTES), .TABLES(TABLES)) u_drain (
      .clk_i, .rst_ni, .flush_i(flush),
      .raw_i(raw), .packed_i(bits), .wide_i(wide_out), .threshold_i(threshold), .pair_i(pair),
      .m_a_i(desc[tsm_soc_pkg::COMPUTE_M_A_LSB +: 32]), .m_b_i(desc[tsm_soc_pkg::COMPUTE_M_B_LSB +: 32]),
      .shift_i(desc[tsm_soc_pkg::COMPUTE_SHIFT_LSB +: 6]), .lo_i(desc[tsm_soc_pkg::COMPUTE_LO_LSB +: 16]),
      .hi_i(desc[tsm_soc_pkg::COMPUTE_HI_LSB +: 16]), .zero_i(desc[tsm_soc_pkg::COMPUTE_ZERO_LSB +: 8]),
      .look_up_i(desc[tsm_soc_pkg::COMPUTE_LOOK_UP_LSB]), .table_i(desc[tsm_soc_pkg::COMPUTE_TABLE_LSB +: 3]),
      .ld_table_i(ld_table), .ld_addr_i(ld_addr), .ld_data_i(ld_data),
      .start_i(result_start), .addr_i(result_addr), .count_i(result_count), .results_i(results),
      .multipliers_i(multipliers),
      .wr_valid_o(wr_valid), .wr_addr_o(wr_addr), .wr_be_o(wr_be), .wr_data_o(wr_data), .busy_o(drain_busy)
  );

  // Activation memory: samples and results, and the CPU, take turns on its bus
  wire logic act_gnt, dma_first, dma_gnt;
  wire logic cpu_act_req = bus_req && to_act;
  wire logic act_we = dma_first ? dma_req_write_i : bus_we;
  wire logic unused = ^{dma_req_addr_i, bus_addr, compute_base, load_base};
  assign dma_req_ready_o = dma_gnt;
  assign dma_rsp_valid_o = dma_act_rvalid_q;
  assign dma_rsp_data_o = act_rdata;

  tsm_arbiter u_turns (
      .clk_i, .rst_ni, .a_req_i(dma_req_valid_i), .b_req_i(cpu_act_req), .ready_i(act_gnt), .a_first_o(dma_first),
      .a_gnt_o(dma_gnt), .b_gnt_o(cpu_act_gnt)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {cpu_act_rvalid_q, dma_act_rvalid_q} <= 2'b00;
    else {cpu_act_rvalid_q, dma_act_rvalid_q} <= {cpu_act_gnt && !act_we, dma_gnt && !act_we};
  end

  tsm_act_mem #(.ACT_BYTES(ACT_BYTES), .BANKS(BANKS), .LANES(LANES), .BYTES(BYTES)) u_act_mem (
      .clk_i, .rst_ni,
      .rd_valid_i(s1_step), .rd_addr_i(s1_addr), .rd_data_o(word),
      .wr_valid_i(wr_valid), .wr_addr_i(wr_addr), .wr_be_i(wr_be), .wr_data_i(wr_data),
      .bus_req_i(dma_req_valid_i || cpu_act_req), .bus_gnt_o(act_gnt), .bus_we_i(act_we),
      .bus_be_i(dma_first ? dma_req_wstrb_i : bus_be),
      .bus_addr_i({dma_first ? dma_req_addr_i[AW-1:2] : bus_addr[AW-1:2], 2'b00}),
      .bus_wdata_i(dma_first ? dma_req_wdata_i : bus_wdata), .bus_rdata_o(act_rdata), .pause_o(pause)
  );
endmodule

`default_nettype wire

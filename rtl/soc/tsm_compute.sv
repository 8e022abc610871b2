// Walks the list of compute descriptors: fetches one while the array is still busy with the one before, checks it, waits
// for its loads, and starts the nest once everything before has reached the memory.
//
//   words 1 to 15 and 21 | wait until the array is empty | 0 | wait until the last byte is written | 16 to 19 and start
//
// So no field changes while a step that needs it is on its way. The products of the nest come from one multiplier.
`default_nettype none

module tsm_compute #(
    parameter integer PES = 8,
    parameter integer LANES = 8,
    parameter integer ACT_BYTES = 65536,
    parameter integer WGT_WORDS = 1024,
    parameter integer PAR_WORDS = 256,
    parameter integer OPS = 15,
    parameter integer BITS = 0,  // KIND 2: maximum pools of bits too, and no values of 16 bits
    parameter integer DESC_AW = 11
) (
    input  wire logic                         clk_i,
    input  wire logic                         rst_ni,
    // The run
    input  wire logic                         start_i,
    input  wire logic                         flush_i,
    input  wire logic [DESC_AW-1:0]           base_i,
    input  wire logic [15:0]                  count_i,
    input  wire logic [15:0]                  loads_done_i,
    output wire logic [15:0]                  computes_done_o,
    output wire logic                         waiting_o,  // for a load
    output wire logic                         done_o,
    output wire logic                         error_o,    // for one clock
    output wire logic [7:0]                   code_o,
    output wire logic [15:0]                  index_o,
    // Descriptor memory
    output wire logic                         desc_req_o,
    input  wire logic                         desc_gnt_i,
    output wire logic [DESC_AW-1:0]           desc_addr_o,
    input  wire logic                         desc_rvalid_i,
    input  wire logic [31:0]                  desc_rdata_i,
    // Nest, array and ending
    output wire logic                         nest_start_o,
    output wire logic [24*32-1:0]             desc_o,
    output wire logic                         channelwise_o,
    output wire logic [$clog2(ACT_BYTES)-1:0] first_addr_o,
    output wire logic [$clog2(ACT_BYTES)-1:0] dil_step_o,
    output wire logic [$clog2(ACT_BYTES)-1:0] row_step_o,
    input  wire logic                         nest_busy_i,
    input  wire logic                         array_busy_i,
    input  wire logic                         drain_busy_i
);
  localparam integer AW = $clog2(ACT_BYTES);
  localparam [1:0] DONE = 2'd0, FETCH = 2'd1, RUN = 2'd2, LAST = 2'd3;
  localparam [4:0] AT_8 = 5'd8;       // this many have come when word 8 is there
  localparam [4:0] GATE_ARRAY = 5'd16; // the next is word 0
  localparam [4:0] GATE_DRAIN = 5'd17; // the next is word 16
  localparam [4:0] ENOUGH = 5'd18;     // to start: word 16 is there
  localparam [4:0] FETCHED = 5'd21;

  logic [1:0] state_q;
  logic [15:0] index_q, computes_done_q /* verilator public_flat_rd */;
  logic [DESC_AW-1:0] addr_q;
  logic [4:0] asked_q, got_q;
  logic [24*32-1:0] desc_q;
  logic empty_q, written_q, there_q;  // the computes before have left the array, and have reached the memory
  logic [7:0] bad_q;
  assign done_o = state_q == DONE;
  assign index_o = index_q;
  assign computes_done_o = computes_done_q;
  assign desc_o = desc_q;

  // Words in the order in which they are fetched: 1 ... 15, 21, 0, 16 ... 19.
  function automatic [4:0] word_of(input [4:0] n);
    word_of = n < 5'd15 ? n + 5'd1 : n == 5'd15 ? 5'd21 : n == 5'd16 ? 5'd0 : n - 5'd1;
  endfunction

  wire logic array_empty = !nest_busy_i && !array_busy_i;
  wire logic all_written = array_empty && !drain_busy_i;
  wire logic gated = (asked_q == GATE_ARRAY && !empty_q) || (asked_q == GATE_DRAIN && !written_q);
  assign desc_req_o = (state_q == FETCH || state_q == RUN) && asked_q != FETCHED && !gated;
  assign desc_addr_o = addr_q + DESC_AW'(word_of(asked_q));

  wire logic [7:0] opcode = desc_q[tsm_soc_pkg::COMPUTE_OPCODE_LSB +: 8];
  wire logic history = desc_q[tsm_soc_pkg::COMPUTE_HISTORY_LSB];
  wire logic is_conv = 32'(opcode) == tsm_soc_pkg::OP_CONV;
  wire logic is_max = 32'(opcode) == tsm_soc_pkg::OP_MAXPOOL;
  wire logic is_bit_max = 32'(opcode) == tsm_soc_pkg::OP_BITPOOL;
  wire logic is_add = 32'(opcode) == tsm_soc_pkg::OP_ADD;
  assign channelwise_o = desc_q[tsm_soc_pkg::COMPUTE_CHANNELWISE_LSB] || history || !is_conv;

  // Products, from the clock on in which word 8 is there.
  wire logic [31:0] in_base = desc_q[tsm_soc_pkg::COMPUTE_IN_BASE_LSB +: 32];
  wire logic [31:0] in2_base = desc_q[tsm_soc_pkg::COMPUTE_IN2_BASE_LSB +: 32];
  wire logic [31:0] in_row_bytes = desc_q[tsm_soc_pkg::COMPUTE_IN_ROW_BYTES_LSB +: 32];
  logic [2:0] product_at_q;
  logic [AW-1:0] product_q, dil_step_q, row_step_q, first_addr_q;
  wire logic [7:0] factor = product_at_q == 3'd0 ? desc_q[tsm_soc_pkg::COMPUTE_DIL_Y_LSB +: 8]
                          : product_at_q == 3'd1 ? desc_q[tsm_soc_pkg::COMPUTE_STRIDE_Y_LSB +: 8]
                          : desc_q[tsm_soc_pkg::COMPUTE_PAD_TOP_LSB +: 8];
  assign first_addr_o = first_addr_q;
  assign row_step_o = row_step_q;
  assign dil_step_o = is_add ? AW'(in2_base) - AW'(in_base) : dil_step_q;

  always_ff @(posedge clk_i) begin
    product_at_q <= got_q < AT_8 ? 3'd0 : product_at_q == 3'd4 ? 3'd4 : product_at_q + 1'b1;
    product_q <= AW'(in_row_bytes) * AW'(factor);
    if (product_at_q == 3'd1) dil_step_q <= product_q;
    if (product_at_q == 3'd2) row_step_q <= product_q;
    if (product_at_q == 3'd3) first_addr_q <= AW'(in_base) - product_q;
  end

  // Checks
  wire logic [31:0] w5 = desc_q[5*32 +: 32];
  wire logic [31:0] w6 = desc_q[6*32 +: 32];
  wire logic [31:0] w7 = desc_q[7*32 +: 32];
  wire logic [7:0] last_count = desc_q[tsm_soc_pkg::COMPUTE_LAST_COUNT_LSB +: 8];
  wire logic [1:0] ending = desc_q[tsm_soc_pkg::COMPUTE_ENDING_LSB +: 2];
  wire logic look_up = desc_q[tsm_soc_pkg::COMPUTE_LOOK_UP_LSB];
  wire logic wide_in = desc_q[tsm_soc_pkg::COMPUTE_WIDE_IN_LSB];
  wire logic wide_out = desc_q[tsm_soc_pkg::COMPUTE_WIDE_OUT_LSB];
  wire logic [7:0] history_kw = desc_q[tsm_soc_pkg::COMPUTE_HISTORY_KW_LSB +: 8];
  wire logic [7:0] history_stride = desc_q[tsm_soc_pkg::COMPUTE_HISTORY_STRIDE_LSB +: 8];
  wire logic no_opcode = !(is_conv || (is_max && OPS[1]) || (is_bit_max && OPS[1] && BITS != 0)
                             || (is_add && OPS[0])) || (history && !OPS[2]) || (&ending)
                      || (look_up && (!OPS[3] || 32'(ending) != tsm_soc_pkg::END_REQUANTIZE))
                      || (wide_in && (!is_conv || history || BITS != 0))
                      || (wide_out && (32'(ending) != tsm_soc_pkg::END_REQUANTIZE || look_up || BITS != 0));
  wire logic no_count = w5[15:0] == 0 || w5[31:16] == 0 || w6[15:0] == 0 || w6[31:16] == 0 || w7[7:0] == 0
                     || w7[15:8] == 0 || w7[31:16] == 0 || last_count == 0 || last_count > 8'(PES)
                     || desc_q[tsm_soc_pkg::COMPUTE_SHIFT_LSB +: 6] == 6'd0
                     || (history && (w7[7:0] > 8'd8 || history_kw == 0 || history_kw > 8'(LANES) || history_stride == 0));
  wire logic no_address = in_base >= ACT_BYTES || in_row_bytes > ACT_BYTES || (is_add && in2_base >= ACT_BYTES)
                       || desc_q[tsm_soc_pkg::COMPUTE_OUT_BASE_LSB +: 32] >= ACT_BYTES
                       || desc_q[tsm_soc_pkg::COMPUTE_W_BASE_LSB +: 32] >= WGT_WORDS
                       || desc_q[tsm_soc_pkg::COMPUTE_P_BASE_LSB +: 32] >= PAR_WORDS;
  wire logic no_magic = desc_q[tsm_soc_pkg::COMPUTE_MAGIC_LSB +: 16] != tsm_soc_pkg::MAGIC_DESCRIPTOR[15:0];
  wire logic [7:0] bad = no_magic ? tsm_soc_pkg::ERR_MAGIC[7:0] : no_opcode ? tsm_soc_pkg::ERR_OPCODE[7:0]
                       : no_count ? tsm_soc_pkg::ERR_COUNT[7:0]
                       : no_address ? tsm_soc_pkg::ERR_ADDRESS[7:0] : tsm_soc_pkg::ERR_NONE[7:0];

  wire logic checked = state_q == FETCH && there_q;
  assign error_o = checked && bad_q != 8'd0 && !flush_i;
  assign code_o = bad_q;
  assign waiting_o = checked && 32'(loads_done_i) < desc_q[tsm_soc_pkg::COMPUTE_AFTER_LOAD_LSB +: 32];
  assign nest_start_o = checked && !waiting_o && bad_q == 8'd0 && !flush_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= DONE;
      {index_q, computes_done_q} <= '0;
      {empty_q, written_q, there_q} <= 3'b000;
    end else if (flush_i || error_o) begin
      state_q <= DONE;
      {empty_q, written_q, there_q} <= 3'b000;
    end else begin
      case (state_q)
        DONE:
          if (start_i) begin
            state_q <= count_i == 16'd0 ? DONE : FETCH;
            {index_q, computes_done_q} <= '0;
            {empty_q, written_q} <= 2'b11;
          end
        FETCH: begin
          if (array_empty) empty_q <= 1'b1;
          if (all_written && !written_q) begin
            written_q <= 1'b1;
            computes_done_q <= computes_done_q + 1'b1;
          end
          there_q <= got_q >= ENOUGH;
          if (nest_start_o) begin
            state_q <= RUN;
            there_q <= 1'b0;
          end
        end
        RUN:
          if (!nest_busy_i && got_q == FETCHED) begin
            state_q <= index_q + 16'd1 == count_i ? LAST : FETCH;
            index_q <= index_q + 1'b1;
            {empty_q, written_q} <= 2'b00;
          end
        default:
          if (all_written) begin
            computes_done_q <= computes_done_q + 1'b1;
            state_q <= DONE;
          end
      endcase
    end
  end

  integer w;
  always_ff @(posedge clk_i) begin
    bad_q <= bad;
    if (desc_req_o && desc_gnt_i) asked_q <= asked_q + 1'b1;
    if (desc_rvalid_i && state_q != DONE) begin
      got_q <= got_q + 1'b1;
      for (w = 0; w < 24; w = w + 1) if (word_of(got_q) == 5'(w)) desc_q[w*32 +: 32] <= desc_rdata_i;
    end
    if (state_q == DONE) addr_q <= base_i;
    else if (state_q == RUN && !nest_busy_i && got_q == FETCHED) addr_q <= addr_q + DESC_AW'(24);
    if (state_q == DONE || (state_q == RUN && !nest_busy_i && got_q == FETCHED)) {asked_q, got_q} <= '0;
  end

`ifdef FORMAL
  // Around it: an idle machine works only when it is started, a flush or a reset empties it, memory answers a clock after the
  // grant.
  logic begun_q, past_q, idle_q, emptied_q, granted_q;
  logic [2:0] still_q;
  logic [30:0] was_q;
  wire logic [30:0] now = {state_q, index_q, asked_q, got_q, empty_q, written_q, there_q};
  wire logic free = rst_ni && state_q != DONE && (desc_gnt_i || !desc_req_o) && all_written && !waiting_o;
  initial {begun_q, past_q} = 2'b00;
  always_ff @(posedge clk_i) begin
    begun_q <= 1'b1;
    past_q <= rst_ni;
    if (!begun_q) assume (!rst_ni);
    idle_q <= all_written && !nest_start_o;
    emptied_q <= flush_i;
    granted_q <= desc_req_o && desc_gnt_i;
    was_q <= now;
    still_q <= past_q && free && was_q == now ? still_q + 3'd1 : 3'd0;
    if (past_q) begin
      assume (!(idle_q || emptied_q) || all_written);
      assume (desc_rvalid_i == granted_q);
    end else assume (all_written && !desc_rvalid_i);
    if (rst_ni && past_q) begin
      // A compute starts on an empty machine, after its loads, with a descriptor that was checked.
      assert (!nest_start_o || all_written);
      assert (!nest_start_o || 32'(loads_done_i) >= desc_q[tsm_soc_pkg::COMPUTE_AFTER_LOAD_LSB +: 32]);
      assert (!nest_start_o || (computes_done_q == index_q && got_q >= ENOUGH));
      // Why
      assert (state_q != DONE || all_written || emptied_q || flush_i);
      assert (state_q != FETCH || !written_q || (all_written && computes_done_q == index_q));
      assert (state_q != FETCH || written_q || computes_done_q + 16'd1 == index_q);
      assert (state_q != RUN || (written_q && computes_done_q == index_q && got_q >= ENOUGH));
      assert (state_q != LAST || computes_done_q + 16'd1 == index_q);
      assert (state_q != FETCH || asked_q <= GATE_DRAIN || written_q);
      assert (state_q == DONE || (32'(got_q) + 32'(granted_q) == 32'(asked_q) && asked_q <= FETCHED));
      assert (!there_q || (state_q == FETCH && got_q >= ENOUGH));
      // It never hangs: where memory answers, the machine is idle and no load is waited for, something moves.
      assert (still_q < 3'd4);
    end
  end
`endif
endmodule

`default_nettype wire

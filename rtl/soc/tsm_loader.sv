// Walks the list of load descriptors: reads each block of the external memory into the elements' memories and checks its
// CRC. A load begins once `after_compute` computes have finished; it counts as finished when its CRC was right.
//
//   fetch --> wait --> request --> data --> check --> fetch ...       at the end, at an error or a flush: done
//
// Words of a weight block: word 0 of element 0 (LANES / 4 words of 32 bits), word 0 of element 1, ..., word 1 of element 0;
// of a parameter block: bias and multiplier of element 0, of element 1, ...; of a block of tables: one after the other.
// A flush in mid-transfer takes the words that are still to come, and drops them.
`default_nettype none

module tsm_loader #(
    parameter integer PES = 8,
    parameter integer LANES = 8,
    parameter integer WGT_WORDS = 1024,
    parameter integer PAR_WORDS = 256,
    parameter integer TABLES = 8,  // none: 0
    parameter integer DESC_AW = 11
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // The run
    input  wire logic                   start_i,
    input  wire logic                   flush_i,
    input  wire logic [DESC_AW-1:0]     base_i,
    input  wire logic [15:0]            count_i,
    input  wire logic [15:0]            computes_done_i,
    output wire logic [15:0]            loads_done_o,
    output wire logic                   waiting_o,   // for a compute
    output wire logic                   done_o,
    output wire logic                   error_o,     // for one clock
    output wire logic [7:0]             code_o,
    output wire logic                   loaded_o,    // a word has come
    // Descriptor memory
    output wire logic                   desc_req_o,
    input  wire logic                   desc_gnt_i,
    output wire logic [DESC_AW-1:0]     desc_addr_o,
    input  wire logic                   desc_rvalid_i,
    input  wire logic [31:0]            desc_rdata_i,
    // External memory
    output wire logic                   ext_req_valid_o,
    input  wire logic                   ext_req_ready_i,
    output wire logic [31:0]            ext_req_addr_o,
    output wire logic [15:0]            ext_req_len_o,
    input  wire logic                   ext_rsp_valid_i,
    output wire logic                   ext_rsp_ready_o,
    input  wire logic [31:0]            ext_rsp_data_i,
    // Elements and tables
    output      logic                   ld_weight_o,
    output      logic                   ld_param_o,
    output      logic                   ld_table_o,
    output      logic [$clog2(PES)-1:0] ld_pe_o,
    output      logic [1:0]             ld_chunk_o,
    output      logic [15:0]            ld_addr_o,
    output      logic [31:0]            ld_data_o
);
  localparam integer PEW = $clog2(PES);
  localparam integer FETCHED = 6;  // words of a descriptor that mean something
  localparam [2:0] DONE = 3'd0, FETCH = 3'd1, WAIT = 3'd2, REQUEST = 3'd3, DATA = 3'd4, CHECK = 3'd5;

  logic [2:0] state_q;
  logic [15:0] index_q;
  logic [DESC_AW-1:0] addr_q;
  logic [2:0] asked_q, got_q;
  logic [FETCHED*32-1:0] desc_q;
  logic killed_q;
  assign done_o = state_q == DONE;
  assign loads_done_o = index_q;

  // Descriptor
  assign desc_req_o = state_q == FETCH && asked_q != 3'(FETCHED);
  assign desc_addr_o = addr_q;
  wire logic [7:0] opcode = desc_q[tsm_soc_pkg::LOAD_OPCODE_LSB +: 8];
  wire logic [15:0] magic = desc_q[tsm_soc_pkg::LOAD_MAGIC_LSB +: 16];
  wire logic [31:0] after_compute = desc_q[tsm_soc_pkg::LOAD_AFTER_COMPUTE_LSB +: 32];
  wire logic [31:0] ext_words = desc_q[tsm_soc_pkg::LOAD_EXT_WORDS_LSB +: 32];
  wire logic [31:0] dest = desc_q[tsm_soc_pkg::LOAD_DEST_LSB +: 32];
  wire logic [31:0] crc32 = desc_q[tsm_soc_pkg::LOAD_CRC32_LSB +: 32];
  wire logic weights = 32'(opcode) == tsm_soc_pkg::LOAD_OP_WEIGHTS;
  wire logic params = 32'(opcode) == tsm_soc_pkg::LOAD_OP_PARAMETERS;
  wire logic tables = TABLES != 0 && 32'(opcode) == tsm_soc_pkg::LOAD_OP_TABLES;
  wire logic [31:0] limit = weights ? WGT_WORDS : params ? PAR_WORDS : TABLES * 64;
  wire logic unused = ^desc_q;

  // Data: where the next word goes, and the CRC of those that came
  logic [15:0] left_q, word_q;
  logic [PEW-1:0] pe_q;
  logic [1:0] chunk_q;
  logic [31:0] crc_q;
  wire logic [31:0] crc_next;
  wire logic take = state_q == DATA && ext_rsp_valid_i;
  wire logic last_chunk = tables || chunk_q == (weights ? 2'(LANES / 4 - 1) : 2'd1);
  wire logic last_pe = tables || pe_q == PEW'(PES - 1);
  wire logic past = take && 32'(word_q) >= limit;
  assign ext_req_valid_o = state_q == REQUEST;
  assign ext_req_addr_o = desc_q[tsm_soc_pkg::LOAD_EXT_ADDR_LSB +: 32];
  assign ext_req_len_o = ext_words[15:0];
  assign ext_rsp_ready_o = state_q == DATA;
  assign loaded_o = take;

  tsm_crc32 u_crc (.crc_i(crc_q), .word_i(ext_rsp_data_i), .crc_o(crc_next));

  // Errors
  wire logic waiting = state_q == WAIT && got_q == 3'(FETCHED);
  wire logic [7:0] bad = magic != tsm_soc_pkg::MAGIC_DESCRIPTOR[15:0] ? tsm_soc_pkg::ERR_MAGIC[7:0]
                       : !weights && !params && !tables ? tsm_soc_pkg::ERR_OPCODE[7:0]
                       : ext_words == 32'd0 || |ext_words[31:16] ? tsm_soc_pkg::ERR_COUNT[7:0]
                       : dest >= limit ? tsm_soc_pkg::ERR_ADDRESS[7:0] : tsm_soc_pkg::ERR_NONE[7:0];
  wire logic wrong = state_q == CHECK && !killed_q && ~crc_q != crc32;
  wire logic refused = waiting && bad != 8'd0;
  assign error_o = refused || wrong || (past && !killed_q);
  assign code_o = refused ? bad : wrong ? tsm_soc_pkg::ERR_CRC[7:0] : tsm_soc_pkg::ERR_ADDRESS[7:0];
  assign waiting_o = waiting && 32'(computes_done_i) < after_compute;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= DONE;
      index_q <= '0;
      killed_q <= 1'b0;
      {ld_weight_o, ld_param_o, ld_table_o} <= 3'b000;
    end else begin
      ld_weight_o <= take && weights && !killed_q && !past;
      ld_param_o <= take && params && !killed_q && !past;
      ld_table_o <= take && tables && !killed_q && !past;
      if (flush_i || error_o) killed_q <= 1'b1;
      case (state_q)
        DONE:
          if (start_i) begin
            state_q <= count_i == 16'd0 ? DONE : FETCH;
            index_q <= '0;
            killed_q <= 1'b0;
          end
        FETCH: if (killed_q) state_q <= DONE; else if (asked_q == 3'(FETCHED)) state_q <= WAIT;
        WAIT: if (killed_q || refused) state_q <= DONE; else if (waiting && !waiting_o) state_q <= REQUEST;
        REQUEST: if (ext_req_ready_i) state_q <= DATA;
        DATA: if (take && left_q == 16'd1) state_q <= CHECK;
        default:
          if (killed_q || wrong) state_q <= DONE;
          else begin
            index_q <= index_q + 1'b1;
            state_q <= index_q + 16'd1 == count_i ? DONE : FETCH;
          end
      endcase
    end
  end

  integer w;
  always_ff @(posedge clk_i) begin
    if (state_q == DONE) addr_q <= base_i;
    if (state_q == DONE || state_q == CHECK) {asked_q, got_q} <= '0;
    if (desc_req_o && desc_gnt_i) asked_q <= asked_q + 1'b1;
    if (desc_req_o && desc_gnt_i) addr_q <= asked_q == 3'(FETCHED - 1) ? addr_q + DESC_AW'(3) : addr_q + 1'b1;
    if (desc_rvalid_i && state_q != DONE) begin
      got_q <= got_q + 1'b1;
      for (w = 0; w < FETCHED; w = w + 1) if (got_q == 3'(w)) desc_q[w*32 +: 32] <= desc_rdata_i;
    end
    if (state_q == REQUEST) begin
      left_q <= ext_words[15:0];
      word_q <= dest[15:0];
      pe_q <= '0;
      chunk_q <= '0;
      crc_q <= '1;
    end
    if (take) begin
      left_q <= left_q - 1'b1;
      crc_q <= crc_next;
      chunk_q <= last_chunk ? '0 : chunk_q + 1'b1;
      if (last_chunk) pe_q <= last_pe ? '0 : pe_q + 1'b1;
      if (last_chunk && last_pe) word_q <= word_q + 1'b1;
    end
    ld_pe_o <= pe_q;
    ld_chunk_o <= chunk_q;
    ld_addr_o <= word_q;
    ld_data_o <= ext_rsp_data_i;
  end

`ifdef FORMAL
  // Around it: the count of finished computes begins anew a clock after the start, and then only grows; memory answers a
  // clock after the grant.
  logic begun_q, past_q, started_q, granted_q;
  logic [2:0] still_q;
  logic [41:0] was_q;
  wire logic [41:0] now = {state_q, index_q, asked_q, got_q, left_q, killed_q};
  wire logic free = rst_ni && state_q != DONE && (desc_gnt_i || !desc_req_o) && ext_req_ready_i && ext_rsp_valid_i
                 && !waiting_o;
  logic [15:0] computes_q;
  initial {begun_q, past_q} = 2'b00;
  always_ff @(posedge clk_i) begin
    begun_q <= 1'b1;
    past_q <= rst_ni;
    if (!begun_q) assume (!rst_ni);
    started_q <= start_i;
    granted_q <= desc_req_o && desc_gnt_i;
    computes_q <= computes_done_i;
    was_q <= now;
    still_q <= past_q && free && was_q == now ? still_q + 3'd1 : 3'd0;
    if (past_q) assume ((computes_done_i >= computes_q || started_q) && desc_rvalid_i == granted_q);
    else assume (!desc_rvalid_i);
    assume (!start_i || done_o);
    if (rst_ni && past_q) begin
      // A load reads after its computes, with a descriptor that was checked, and counts if its CRC was right.
      assert (!ext_req_valid_o || 32'(computes_done_i) >= after_compute);
      assert (!ext_req_valid_o || (bad == 8'd0 && got_q == 3'(FETCHED)));
      assert (32'(ld_weight_o) + 32'(ld_param_o) + 32'(ld_table_o) <= 1);
      // Why
      assert (state_q == DONE || state_q == CHECK || 32'(got_q) + 32'(granted_q) == 32'(asked_q));
      assert (asked_q <= 3'(FETCHED));
      assert (state_q < WAIT || state_q > DATA || asked_q == 3'(FETCHED));
      assert (state_q != DATA || got_q == 3'(FETCHED));
      assert (state_q != DATA || left_q != 16'd0);
      assert (state_q != REQUEST || bad == 8'd0);
      // It never hangs: where memories answer and no compute is waited for, something moves.
      assert (still_q < 3'd4);
    end
  end
`endif
endmodule

`default_nettype wire

// Control and status registers, and the run: both lists start together; it ends when both have ended, or after an error
// in one of them, once the loader has taken what was on its way. Offsets and bits: docs/soc-map.md.
`default_nettype none

module tsm_csr #(
    parameter [31:0] IDENTITY = 32'h0
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // Bus: granted at once, a read's data one clock later
    input  wire logic        req_i,
    input  wire logic        we_i,
    input  wire logic [7:0]  addr_i,
    input  wire logic [31:0] wdata_i,
    output      logic        rvalid_o,
    output      logic [31:0] rdata_o,
    // The run
    output wire logic        start_o,
    output wire logic        flush_o,
    output wire logic [15:0] compute_base_o,
    output wire logic [15:0] compute_count_o,
    output wire logic [15:0] load_base_o,
    output wire logic [15:0] load_count_o,
    input  wire logic        compute_done_i,
    input  wire logic        compute_error_i,
    input  wire logic [7:0]  compute_code_i,
    input  wire logic [15:0] compute_index_i,
    input  wire logic        load_done_i,
    input  wire logic        load_error_i,
    input  wire logic [7:0]  load_code_i,
    input  wire logic [15:0] load_index_i,
    // Counted
    input  wire logic        active_i,
    input  wire logic        stall_i,
    input  wire logic        compute_waits_i,
    input  wire logic        load_waits_i,
    input  wire logic        loaded_i,
    output wire logic        irq_o
);
  logic busy_q, done_q, error_q, failing_q, irq_enable_q;
  logic [7:0] code_q;
  logic code_load_q;
  logic [15:0] code_index_q;
  logic [15:0] compute_base_q, compute_count_q, load_base_q, load_count_q;
  logic [31:0] cycles_q, active_q, stalls_q, load_waits_q, loaded_q;

  wire logic write = req_i && we_i;
  wire logic ctrl = write && addr_i == tsm_soc_pkg::CSR_CTRL[7:0];
  wire logic start = ctrl && wdata_i[tsm_soc_pkg::CSR_CTRL_START_LSB] && !busy_q;
  wire logic abort = ctrl && wdata_i[tsm_soc_pkg::CSR_CTRL_ABORT_LSB] && busy_q && !failing_q;
  logic started_q;  // the lists see the start one clock later, so `done` means this run from then on

  // Neither list can go on: each waits for the other, or for one that has ended.
  wire logic stuck = (compute_waits_i && (load_waits_i || load_done_i)) || (load_waits_i && compute_done_i);
  wire logic ended = busy_q && !started_q && compute_done_i && load_done_i;

  assign start_o = started_q;
  assign flush_o = failing_q;
  assign compute_base_o = compute_base_q;
  assign compute_count_o = compute_count_q;
  assign load_base_o = load_base_q;
  assign load_count_o = load_count_q;
  assign irq_o = irq_enable_q && (done_q || error_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {busy_q, done_q, error_q, failing_q, irq_enable_q, started_q} <= '0;
      {code_q, code_load_q, code_index_q} <= '0;
      {compute_base_q, compute_count_q, load_base_q, load_count_q} <= '0;
      {cycles_q, active_q, stalls_q, load_waits_q, loaded_q} <= '0;
      rvalid_o <= 1'b0;
    end else begin
      rvalid_o <= req_i && !we_i;
      started_q <= start;
      if (write) begin
        case (32'(addr_i))
          tsm_soc_pkg::CSR_CTRL: irq_enable_q <= wdata_i[tsm_soc_pkg::CSR_CTRL_IRQ_ENABLE_LSB];
          tsm_soc_pkg::CSR_STATUS: begin
            if (wdata_i[tsm_soc_pkg::CSR_STATUS_DONE_LSB]) done_q <= 1'b0;
            if (wdata_i[tsm_soc_pkg::CSR_STATUS_ERROR_LSB]) error_q <= 1'b0;
          end
          tsm_soc_pkg::CSR_COMPUTE_BASE: compute_base_q <= wdata_i[15:0];
          tsm_soc_pkg::CSR_COMPUTE_COUNT: compute_count_q <= wdata_i[15:0];
          tsm_soc_pkg::CSR_LOAD_BASE: load_base_q <= wdata_i[15:0];
          tsm_soc_pkg::CSR_LOAD_COUNT: load_count_q <= wdata_i[15:0];
          default: ;
        endcase
      end
      if (start) begin
        busy_q <= 1'b1;
        {done_q, error_q, failing_q} <= 3'b000;
        {code_q, code_load_q, code_index_q} <= '0;
        {cycles_q, active_q, stalls_q, load_waits_q, loaded_q} <= '0;
      end else if (busy_q) begin
        cycles_q <= cycles_q + 1'b1;
        active_q <= active_q + 32'(active_i);
        stalls_q <= stalls_q + 32'(stall_i);
        load_waits_q <= load_waits_q + 32'(compute_waits_i);
        loaded_q <= loaded_q + 32'(loaded_i);
        if (!failing_q && !started_q) begin
          failing_q <= load_error_i || compute_error_i || stuck || abort;
          if (load_error_i) {code_q, code_load_q, code_index_q} <= {load_code_i, 1'b1, load_index_i};
          else if (compute_error_i) {code_q, code_load_q, code_index_q} <= {compute_code_i, 1'b0, compute_index_i};
          else if (stuck) begin
            code_q <= tsm_soc_pkg::ERR_DEADLOCK[7:0];
            {code_load_q, code_index_q} <= compute_waits_i ? {1'b0, compute_index_i} : {1'b1, load_index_i};
          end else if (abort) code_q <= tsm_soc_pkg::ERR_ABORT[7:0];
        end
        if (ended && !load_error_i && !compute_error_i) begin
          busy_q <= 1'b0;
          failing_q <= 1'b0;
          done_q <= !failing_q;
          error_q <= failing_q;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    case (32'(addr_i))
      tsm_soc_pkg::CSR_ID: rdata_o <= IDENTITY;
      tsm_soc_pkg::CSR_CTRL: rdata_o <= 32'(irq_enable_q) << tsm_soc_pkg::CSR_CTRL_IRQ_ENABLE_LSB;
      tsm_soc_pkg::CSR_STATUS:
        rdata_o <= (32'(busy_q) << tsm_soc_pkg::CSR_STATUS_BUSY_LSB) | (32'(done_q) << tsm_soc_pkg::CSR_STATUS_DONE_LSB)
                 | (32'(error_q) << tsm_soc_pkg::CSR_STATUS_ERROR_LSB);
      tsm_soc_pkg::CSR_ERROR:
        rdata_o <= (32'(code_q) << tsm_soc_pkg::CSR_ERROR_CODE_LSB) | (32'(code_load_q) << tsm_soc_pkg::CSR_ERROR_LOAD_LSB)
                 | (32'(code_index_q) << tsm_soc_pkg::CSR_ERROR_INDEX_LSB);
      tsm_soc_pkg::CSR_COMPUTE_BASE: rdata_o <= 32'(compute_base_q);
      tsm_soc_pkg::CSR_COMPUTE_COUNT: rdata_o <= 32'(compute_count_q);
      tsm_soc_pkg::CSR_LOAD_BASE: rdata_o <= 32'(load_base_q);
      tsm_soc_pkg::CSR_LOAD_COUNT: rdata_o <= 32'(load_count_q);
      tsm_soc_pkg::CSR_CYCLES: rdata_o <= cycles_q;
      tsm_soc_pkg::CSR_ACTIVE: rdata_o <= active_q;
      tsm_soc_pkg::CSR_STALLS: rdata_o <= stalls_q;
      tsm_soc_pkg::CSR_LOAD_WAITS: rdata_o <= load_waits_q;
      tsm_soc_pkg::CSR_LOADED: rdata_o <= loaded_q;
      default: rdata_o <= 32'h0;
    endcase
  end
endmodule

`default_nettype wire

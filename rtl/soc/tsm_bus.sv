// Which slave an access of the processor is for, and its answer.
//
//   REGISTERS blocks of registers answer in the clock of the request, which lasts one clock. RAM is read and written by
//   the look-ahead port (a clock early), so it does too. The WAITING slaves see their select until they are ready. Every
//   answer reaches the processor a clock later, out of a register: it decodes an instruction in the clock in which it
//   comes, and the RAM's blocks lie far apart. An access that tsm_prefetch foresaw (early_i) finds it there at once. An
//   access to nothing is answered, and reported on error_o for one clock.
//
//   bit of reg_req_o  0 UART, 1 timer, 2 watchdog, 3 interrupts, 4 system, 5 sample stream
//   bit of sel_o      0 accelerator (three blocks), 1 results, 2 external memory
`default_nettype none

module tsm_bus #(
    parameter integer REGISTERS = 6,
    parameter integer WAITING = 3,
    parameter integer RAM_BYTES = 32768
) (
    input  wire logic                    clk_i,
    input  wire logic                    rst_ni,
    // Processor
    input  wire logic                    mem_valid_i,
    output wire logic                    mem_ready_o,
    input  wire logic [31:0]             mem_addr_i,
    input  wire logic [3:0]              mem_wstrb_i,
    output wire logic [31:0]             mem_rdata_o,
    output wire logic                    error_o,
    // RAM
    input  wire logic [31:0]             ram_rdata_i,
    input  wire logic [31:0]             ram_ahead_i,
    input  wire logic                    early_i,  // an access begins, and ram_ahead_i was its answer a clock ago
    // Blocks of registers
    output wire logic [REGISTERS-1:0]    reg_req_o,
    output wire logic                    reg_write_o,
    input  wire logic [REGISTERS*32-1:0] reg_rdata_i,
    // Slaves that may wait
    output wire logic [WAITING-1:0]      sel_o,
    input  wire logic [WAITING-1:0]      ready_i,
    input  wire logic [WAITING*32-1:0]   rdata_i
);
  wire logic [31:0] addr = mem_addr_i;
  wire logic sel_ram = addr < RAM_BYTES;
  wire logic sel_low = addr[31:12] == tsm_soc_pkg::AT_UART[31:12];  // the small blocks, 256 bytes each
  wire logic sel_stream = addr[31:16] == tsm_soc_pkg::AT_STREAM[31:16];
  // Registers, descriptors (64 KB each), activations (1 MB)
  wire logic sel_accel = addr[31:21] == tsm_soc_pkg::AT_ACCEL[31:21] && (addr[20] || addr[19:17] == '0);
  wire logic sel_results = addr[31:16] == tsm_soc_pkg::AT_RESULTS[31:16];
  wire logic sel_external = addr[31:30] == tsm_soc_pkg::AT_EXTERNAL[31:30];

  wire logic [REGISTERS-1:0] sel_reg = {
      sel_stream,
      sel_low && addr[11:8] == 4'd4,
      sel_low && addr[11:8] == 4'd3,
      sel_low && addr[11:8] == 4'd2,
      sel_low && addr[11:8] == 4'd1,
      sel_low && addr[11:8] == 4'd0
  };

  logic answered_q;
  logic [31:0] answer_q, selected;
  integer r, w;
  always_comb begin
    selected = sel_ram ? ram_rdata_i : '0;
    for (r = 0; r < REGISTERS; r = r + 1) if (sel_reg[r]) selected = selected | reg_rdata_i[r*32 +: 32];
    for (w = 0; w < WAITING; w = w + 1) if (sel_o[w]) selected = selected | rdata_i[w*32 +: 32];
  end

  wire logic sel_none = !sel_ram && sel_reg == '0 && !sel_accel && !sel_results && !sel_external;
  wire logic open = mem_valid_i && !mem_ready_o;
  assign reg_req_o = sel_reg & {REGISTERS{open}};
  assign reg_write_o = mem_wstrb_i != '0;
  assign sel_o = {sel_external, sel_results, sel_accel} & {WAITING{open}};
  assign error_o = open && sel_none;
  assign mem_ready_o = answered_q || early_i;
  assign mem_rdata_o = answer_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      answered_q <= 1'b0;
      answer_q   <= '0;
    end else begin
      answered_q <= open && (sel_ram || sel_reg != '0 || sel_none || (sel_o & ready_i) != '0);
      answer_q   <= open ? selected : ram_ahead_i;
    end
  end
endmodule

`default_nettype wire

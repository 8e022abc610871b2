// The chip: a picorv32 with its memory and peripherals, the accelerator, a sample stream in and a result stream out.
//
//   s_* --> sample stream --> activation memory of the accelerator --> results --> m_*
//                 ^                  ^    ^                              ^
//              registers        AXI4-Lite |                              |
//   processor -- bus --+-- RAM, UART, timer, watchdog, interrupts, pins -+
//                      +-- arbiter (with the accelerator's loader) --> ext_*: the weight image
//
// The processor's registers and this chip's numbers: docs/soc-map.md. error_o is 0 while all is well; irq_o tells a
// host that it is not.
`default_nettype none

module tsm_soc #(
    parameter integer PES = 8,
    parameter integer LANES = 8,
    parameter integer RQS = 4,
    parameter integer ACT_BYTES = 65536,
    parameter integer WGT_WORDS = 1024,
    parameter integer PAR_WORDS = 256,
    parameter integer DESC_WORDS = 2048,
    parameter integer KIND = 0,
    parameter integer OPS = 15,
    parameter integer RAM_BYTES = 32768,      // power of two
    parameter FIRMWARE = "firmware.hex",      // contents of the RAM, a 32-bit word a line
    parameter integer BEAT_BYTES = 4,         // of the sample stream: 2 or 4
    parameter integer BUFFER_SAMPLES = 1024,  // of the trigger mode; power of two
    parameter integer UART_DIVISOR = 434,     // clocks a bit after reset
    parameter [31:0] EXT_BYTES = 32'h0010_0000
) (
    input  wire logic                    clk_i,
    input  wire logic                    rst_ni,
    // Samples
    input  wire logic                    s_valid_i,
    output wire logic                    s_ready_o,
    input  wire logic [BEAT_BYTES*8-1:0] s_data_i,
    input  wire logic [BEAT_BYTES-1:0]   s_keep_i,
    input  wire logic                    s_last_i,
    // Results
    output wire logic                    m_valid_o,
    input  wire logic                    m_ready_i,
    output wire logic [31:0]             m_data_o,
    output wire logic                    m_last_o,
    // External memory: `len` words from byte address `addr`
    output wire logic                    ext_req_valid_o,
    input  wire logic                    ext_req_ready_i,
    output wire logic [31:0]             ext_req_addr_o,
    output wire logic [15:0]             ext_req_len_o,
    input  wire logic                    ext_rsp_valid_i,
    output wire logic                    ext_rsp_ready_o,
    input  wire logic [31:0]             ext_rsp_data_i,
    // Pins
    output wire logic                    uart_tx_o,
    output wire logic [7:0]              error_o,
    output wire logic                    irq_o,
    output wire logic                    exit_valid_o,  // for simulators
    output wire logic [31:0]             exit_code_o
);
  localparam integer RAM_AW = $clog2(RAM_BYTES / 4);

  // Processor ---------------------------------------------------------------------------------------------------------
  wire logic rst_n;  // of all but the watchdog
  wire logic trap, bus_error, axil_error;
  wire logic mem_valid, mem_instr, mem_ready, la_read, la_write;
  wire logic [31:0] mem_addr, mem_wdata, mem_rdata, la_addr, la_wdata;
  wire logic [3:0] mem_wstrb, la_wstrb;
  wire logic cpu_irq;

  // verilator lint_off PINMISSING
  picorv32 #(
      .ENABLE_COUNTERS64(0), .BARREL_SHIFTER(1), .COMPRESSED_ISA(1), .ENABLE_FAST_MUL(1), .ENABLE_DIV(1),
      .ENABLE_IRQ(1), .ENABLE_IRQ_QREGS(0), .ENABLE_IRQ_TIMER(0), .LATCHED_IRQ(32'd0)
  ) u_cpu (
      .clk(clk_i), .resetn(rst_n), .trap(trap),
      .mem_valid(mem_valid), .mem_instr(mem_instr), .mem_ready(mem_ready), .mem_addr(mem_addr), .mem_wdata(mem_wdata),
      .mem_wstrb(mem_wstrb), .mem_rdata(mem_rdata),
      .mem_la_read(la_read), .mem_la_write(la_write), .mem_la_addr(la_addr), .mem_la_wdata(la_wdata),
      .mem_la_wstrb(la_wstrb),
      .pcpi_wr(1'b0), .pcpi_rd(32'd0), .pcpi_wait(1'b0), .pcpi_ready(1'b0),
      .irq({28'd0, cpu_irq, 3'd0})
  );
  // verilator lint_on PINMISSING

  wire logic [31:0] ram_rdata, ram_ahead;
  wire logic ram_write, early;
  wire logic [RAM_AW-1:0] ram_next;
  tsm_prefetch #(.RAM_BYTES(RAM_BYTES)) u_prefetch (
      .clk_i(clk_i), .rst_ni(rst_n),
      .la_read_i(la_read), .la_write_i(la_write), .la_addr_i(la_addr),
      .mem_valid_i(mem_valid), .mem_instr_i(mem_instr), .mem_addr_i(mem_addr),
      .ram_write_o(ram_write), .ram_next_o(ram_next), .early_o(early)
  );
  tsm_cpu_ram #(.WORDS(RAM_BYTES / 4), .FILE(FIRMWARE)) u_ram (
      .clk_i(clk_i), .read_i(la_read), .write_i(la_wstrb & {4{ram_write}}),
      .addr_i(la_addr[2 +: RAM_AW]), .data_i(la_wdata), .data_o(ram_rdata), .addr2_i(ram_next), .data2_o(ram_ahead)
  );

  // Bus and peripherals -----------------------------------------------------------------------------------------------
  wire logic [5:0] reg_req;
  wire logic reg_write;
  wire logic [6*32-1:0] reg_rdata;
  wire logic [2:0] sel, ready;
  wire logic [3*32-1:0] rdata;
  wire logic [3:0] source;

  tsm_bus #(.RAM_BYTES(RAM_BYTES)) u_bus (
      .clk_i(clk_i), .rst_ni(rst_n),
      .mem_valid_i(mem_valid), .mem_ready_o(mem_ready), .mem_addr_i(mem_addr), .mem_wstrb_i(mem_wstrb),
      .mem_rdata_o(mem_rdata), .error_o(bus_error), .ram_rdata_i(ram_rdata), .ram_ahead_i(ram_ahead), .early_i(early),
      .reg_req_o(reg_req), .reg_write_o(reg_write), .reg_rdata_i(reg_rdata),
      .sel_o(sel), .ready_i(ready), .rdata_i(rdata)
  );

  tsm_uart #(.DIVISOR(UART_DIVISOR)) u_uart (
      .clk_i(clk_i), .rst_ni(rst_n),
      .req_i(reg_req[0]), .write_i(reg_write), .addr_i(mem_addr[7:0]), .wdata_i(mem_wdata), .rdata_o(reg_rdata[0 +: 32]),
      .tx_o(uart_tx_o)
  );
  tsm_timer u_timer (
      .clk_i(clk_i), .rst_ni(rst_n),
      .req_i(reg_req[1]), .write_i(reg_write), .addr_i(mem_addr[7:0]), .wdata_i(mem_wdata),
      .rdata_o(reg_rdata[32 +: 32]), .irq_o(source[2])
  );
  tsm_watchdog u_watchdog (
      .clk_i(clk_i), .rst_ni(rst_ni),
      .req_i(reg_req[2]), .write_i(reg_write), .addr_i(mem_addr[7:0]), .wdata_i(mem_wdata),
      .rdata_o(reg_rdata[64 +: 32]), .trap_i(trap || bus_error || axil_error), .rst_no(rst_n)
  );
  tsm_irqc u_irqc (
      .clk_i(clk_i), .rst_ni(rst_n),
      .req_i(reg_req[3]), .write_i(reg_write), .addr_i(mem_addr[7:0]), .wdata_i(mem_wdata),
      .rdata_o(reg_rdata[96 +: 32]), .source_i(source), .irq_o(cpu_irq)
  );
  tsm_system #(
      .RAM_BYTES(RAM_BYTES), .ACT_BYTES(ACT_BYTES), .DESC_WORDS(DESC_WORDS), .EXT_BYTES(EXT_BYTES)
  ) u_system (
      .clk_i(clk_i), .rst_ni(rst_n),
      .req_i(reg_req[4]), .write_i(reg_write), .addr_i(mem_addr[7:0]), .wdata_i(mem_wdata),
      .rdata_o(reg_rdata[128 +: 32]),
      .error_o(error_o), .exit_valid_o(exit_valid_o), .exit_code_o(exit_code_o)
  );
  assign irq_o = error_o != '0;

  // Streams -----------------------------------------------------------------------------------------------------------
  wire logic fill_valid, fill_ready, fetch_valid, fetch_ready, dma_ready, dma_rsp_valid;
  wire logic [31:0] fill_addr, fill_data, fetch_addr, dma_rsp_data;
  wire logic [3:0] fill_strb;

  tsm_stream #(.BEAT_BYTES(BEAT_BYTES), .DEPTH(BUFFER_SAMPLES)) u_stream (
      .clk_i(clk_i), .rst_ni(rst_n),
      .req_i(reg_req[5]), .write_i(reg_write), .addr_i(mem_addr[7:0]), .wdata_i(mem_wdata),
      .rdata_o(reg_rdata[160 +: 32]), .irq_o(source[1]),
      .s_valid_i(s_valid_i), .s_ready_o(s_ready_o), .s_data_i(s_data_i), .s_keep_i(s_keep_i), .s_last_i(s_last_i),
      .m_valid_o(fill_valid), .m_ready_i(fill_ready), .m_addr_o(fill_addr), .m_data_o(fill_data), .m_strb_o(fill_strb)
  );
  tsm_results u_results (
      .clk_i(clk_i), .rst_ni(rst_n),
      .sel_i(sel[1]), .write_i(reg_write), .addr_i(mem_addr[7:0]), .wdata_i(mem_wdata),
      .ready_o(ready[1]), .rdata_o(rdata[32 +: 32]), .irq_o(source[3]),
      .req_valid_o(fetch_valid), .req_ready_i(fetch_ready), .req_addr_o(fetch_addr),
      .rsp_valid_i(dma_rsp_valid), .rsp_data_i(dma_rsp_data),
      .m_valid_o(m_valid_o), .m_ready_i(m_ready_i), .m_data_o(m_data_o), .m_last_o(m_last_o)
  );
  // Samples go first: they cannot wait.
  assign fill_ready = dma_ready;
  assign fetch_ready = dma_ready && !fill_valid;

  // Accelerator -------------------------------------------------------------------------------------------------------
  wire logic awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready, rvalid, rready;
  wire logic [31:0] awaddr, wdata, araddr, axil_rdata;
  wire logic [3:0] wstrb;
  wire logic [1:0] bresp, rresp;
  wire logic load_req_valid, load_req_ready, load_rsp_valid, load_rsp_ready;
  wire logic [31:0] load_req_addr, load_rsp_data;
  wire logic [15:0] load_req_len;

  tsm_axil_master u_axil (
      .clk_i(clk_i), .rst_ni(rst_n),
      .sel_i(sel[0]), .addr_i({11'd0, mem_addr[20:0]}), .wstrb_i(mem_wstrb), .wdata_i(mem_wdata),
      .ready_o(ready[0]), .rdata_o(rdata[0 +: 32]), .error_o(axil_error),
      .awvalid_o(awvalid), .awready_i(awready), .awaddr_o(awaddr),
      .wvalid_o(wvalid), .wready_i(wready), .wdata_o(wdata), .wstrb_o(wstrb),
      .bvalid_i(bvalid), .bready_o(bready), .bresp_i(bresp),
      .arvalid_o(arvalid), .arready_i(arready), .araddr_o(araddr),
      .rvalid_i(rvalid), .rready_o(rready), .rdata_i(axil_rdata), .rresp_i(rresp)
  );

  tsm_accel #(
      .PES(PES), .LANES(LANES), .RQS(RQS), .ACT_BYTES(ACT_BYTES), .WGT_WORDS(WGT_WORDS), .PAR_WORDS(PAR_WORDS),
      .DESC_WORDS(DESC_WORDS), .KIND(KIND), .OPS(OPS)
  ) u_accel (
      .clk_i(clk_i), .rst_ni(rst_n),
      .axil_awvalid_i(awvalid), .axil_awready_o(awready), .axil_awaddr_i(awaddr),
      .axil_wvalid_i(wvalid), .axil_wready_o(wready), .axil_wdata_i(wdata), .axil_wstrb_i(wstrb),
      .axil_bvalid_o(bvalid), .axil_bready_i(bready), .axil_bresp_o(bresp),
      .axil_arvalid_i(arvalid), .axil_arready_o(arready), .axil_araddr_i(araddr),
      .axil_rvalid_o(rvalid), .axil_rready_i(rready), .axil_rdata_o(axil_rdata), .axil_rresp_o(rresp),
      .dma_req_valid_i(fill_valid || fetch_valid), .dma_req_ready_o(dma_ready), .dma_req_write_i(fill_valid),
      .dma_req_addr_i(fill_valid ? fill_addr : fetch_addr), .dma_req_wdata_i(fill_data), .dma_req_wstrb_i(fill_strb),
      .dma_rsp_valid_o(dma_rsp_valid), .dma_rsp_data_o(dma_rsp_data),
      .ext_req_valid_o(load_req_valid), .ext_req_ready_i(load_req_ready), .ext_req_addr_o(load_req_addr),
      .ext_req_len_o(load_req_len),
      .ext_rsp_valid_i(load_rsp_valid), .ext_rsp_ready_o(load_rsp_ready), .ext_rsp_data_i(load_rsp_data),
      .irq_o(source[0])
  );

  tsm_ext_arbiter u_arbiter (
      .clk_i(clk_i), .rst_ni(rst_n),
      .a_req_valid_i(load_req_valid), .a_req_ready_o(load_req_ready), .a_req_addr_i(load_req_addr),
      .a_req_len_i(load_req_len), .a_rsp_valid_o(load_rsp_valid), .a_rsp_ready_i(load_rsp_ready),
      .a_rsp_data_o(load_rsp_data),
      .b_sel_i(sel[2]), .b_ready_o(ready[2]), .b_addr_i({2'b00, mem_addr[29:2], 2'b00}), .b_data_o(rdata[64 +: 32]),
      .ext_req_valid_o(ext_req_valid_o), .ext_req_ready_i(ext_req_ready_i), .ext_req_addr_o(ext_req_addr_o),
      .ext_req_len_o(ext_req_len_o),
      .ext_rsp_valid_i(ext_rsp_valid_i), .ext_rsp_ready_o(ext_rsp_ready_o), .ext_rsp_data_i(ext_rsp_data_i)
  );
endmodule

`default_nettype wire

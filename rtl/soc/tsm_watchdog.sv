// Restarts the chip: RESET_CLOCKS clocks of reset when no kick came for RELOAD clocks, or when the processor trapped.
// Runs on the outer reset, so that it can say afterwards why it restarted; every restart switches it off.
`default_nettype none

module tsm_watchdog #(
    parameter integer RESET_CLOCKS = 8
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // Registers
    input  wire logic        req_i,
    input  wire logic        write_i,
    input  wire logic [7:0]  addr_i,
    input  wire logic [31:0] wdata_i,
    output wire logic [31:0] rdata_o,
    // Processor
    input  wire logic        trap_i,
    output wire logic        rst_no  // of everything else
);
  localparam integer CW = $clog2(RESET_CLOCKS + 1);

  logic [31:0] reload_q, left_q;
  logic [1:0] cause_q;
  logic [CW-1:0] reset_q;
  // The processor takes this reset synchronously, all others asynchronously.
  // verilator lint_off SYNCASYNCNET
  logic rst_nq;
  // verilator lint_on SYNCASYNCNET

  wire logic write = req_i && write_i;
  wire logic kick = write && addr_i == tsm_soc_pkg::WATCHDOG_KICK[7:0] && wdata_i == tsm_soc_pkg::WATCHDOG_KEY;
  wire logic late = reload_q != '0 && left_q == '0;
  wire logic [1:0] bite = {trap_i, late} & {2{reset_q == '0}};

  assign rst_no = rst_nq;
  assign rdata_o = addr_i == tsm_soc_pkg::WATCHDOG_RELOAD[7:0] ? reload_q
                 : addr_i == tsm_soc_pkg::WATCHDOG_CAUSE[7:0] ? {30'd0, cause_q} : '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reload_q <= '0;
      left_q   <= '0;
      cause_q  <= '0;
      reset_q  <= CW'(RESET_CLOCKS);
      rst_nq   <= 1'b0;
    end else if (bite != '0) begin
      cause_q  <= cause_q | bite;
      reload_q <= '0;
      reset_q  <= CW'(RESET_CLOCKS);
      rst_nq   <= 1'b0;
    end else if (reset_q != '0) begin
      reset_q <= reset_q - 1'b1;
      rst_nq  <= reset_q == CW'(1);
    end else begin
      if (write && addr_i == tsm_soc_pkg::WATCHDOG_CAUSE[7:0]) cause_q <= cause_q & ~wdata_i[1:0];
      if (write && addr_i == tsm_soc_pkg::WATCHDOG_RELOAD[7:0]) begin
        reload_q <= wdata_i;
        left_q   <= wdata_i;
      end else if (kick) begin
        left_q <= reload_q;
      end else if (left_q != '0) begin
        left_q <= left_q - 1'b1;
      end
    end
  end
endmodule

`default_nettype wire

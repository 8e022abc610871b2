// Clocks since reset, 64 bits; an interrupt while the low half has passed COMPARE (modulo 2^32), once COMPARE is written.
`default_nettype none

module tsm_timer (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // Registers
    input  wire logic        req_i,
    input  wire logic        write_i,
    input  wire logic [7:0]  addr_i,
    input  wire logic [31:0] wdata_i,
    output wire logic [31:0] rdata_o,
    // Interrupt
    output wire logic        irq_o
);
  logic [63:0] count_q;
  logic [31:0] high_q, compare_q;
  logic set_q;
  wire logic past;
  wire logic [30:0] unused_distance;
  assign {past, unused_distance} = ~(count_q[31:0] - compare_q);

  assign irq_o = set_q && past;
  assign rdata_o = addr_i == tsm_soc_pkg::TIMER_COUNT[7:0] ? count_q[31:0]
                 : addr_i == tsm_soc_pkg::TIMER_COUNT_HIGH[7:0] ? high_q
                 : addr_i == tsm_soc_pkg::TIMER_COMPARE[7:0] ? compare_q : '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q   <= '0;
      high_q    <= '0;
      compare_q <= '0;
      set_q     <= 1'b0;
    end else begin
      count_q <= count_q + 1'b1;
      if (req_i && !write_i && addr_i == tsm_soc_pkg::TIMER_COUNT[7:0]) high_q <= count_q[63:32];
      if (req_i && write_i && addr_i == tsm_soc_pkg::TIMER_COMPARE[7:0]) begin
        compare_q <= wdata_i;
        set_q     <= 1'b1;
      end
    end
  end
endmodule

`default_nettype wire

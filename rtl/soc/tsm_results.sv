// Result stream: words that the processor writes, and tensors that it has sent from the activation memory, in order.
// While a tensor is on its way, a write of the processor waits; so it does when the queue is full.
`default_nettype none

module tsm_results #(
    parameter integer QUEUE = 16
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // Processor: held until ready
    input  wire logic        sel_i,
    input  wire logic        write_i,
    input  wire logic [7:0]  addr_i,
    input  wire logic [31:0] wdata_i,
    output wire logic        ready_o,
    output wire logic [31:0] rdata_o,
    output wire logic        irq_o,  // all words taken
    // Reads of the activation memory
    output wire logic        req_valid_o,
    input  wire logic        req_ready_i,
    output wire logic [31:0] req_addr_o,
    input  wire logic        rsp_valid_i,
    input  wire logic [31:0] rsp_data_i,
    // Stream
    output wire logic        m_valid_o,
    input  wire logic        m_ready_i,
    output wire logic [31:0] m_data_o,
    output wire logic        m_last_o
);
  logic [31:0] base_q, addr_q;
  logic [23:0] left_q;  // words of the tensor to come
  logic last_q, asked_q;

  wire logic busy = left_q != '0;
  wire logic is_data = addr_i == tsm_soc_pkg::RESULTS_DATA[7:0];
  wire logic is_last = addr_i == tsm_soc_pkg::RESULTS_LAST[7:0];
  wire logic write = sel_i && write_i && !busy;
  wire logic room;

  // A read is asked for only while the queue has room for its word, and one at a time.
  assign req_valid_o = busy && !asked_q && room;
  assign req_addr_o = addr_q;
  wire logic arrived = asked_q && rsp_valid_i;
  wire logic push = arrived || (write && (is_data || is_last));

  tsm_fifo #(.WIDTH(33), .DEPTH(QUEUE)) u_queue (
      .clk_i(clk_i), .rst_ni(rst_ni),
      .s_valid_i(push), .s_ready_o(room),
      .s_data_i(arrived ? {last_q && left_q == 24'd1, rsp_data_i} : {is_last, wdata_i}),
      .m_valid_o(m_valid_o), .m_ready_i(m_ready_i), .m_data_o({m_last_o, m_data_o})
  );

  assign ready_o = sel_i && (!write_i || (!busy && (room || !(is_data || is_last))));
  assign irq_o = !busy && !m_valid_o;
  assign rdata_o = addr_i == tsm_soc_pkg::RESULTS_STATUS[7:0] ? {30'd0, irq_o, busy}
                 : addr_i == tsm_soc_pkg::RESULTS_BASE[7:0] ? base_q
                 : addr_i == tsm_soc_pkg::RESULTS_WORDS[7:0] ? {last_q, 7'd0, left_q} : '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      base_q  <= '0;
      addr_q  <= '0;
      left_q  <= '0;
      last_q  <= 1'b0;
      asked_q <= 1'b0;
    end else begin
      if (write && addr_i == tsm_soc_pkg::RESULTS_BASE[7:0]) base_q <= wdata_i;
      if (write && addr_i == tsm_soc_pkg::RESULTS_WORDS[7:0]) begin
        left_q <= wdata_i[tsm_soc_pkg::RESULTS_WORDS_WORDS_LSB +: 24];
        last_q <= wdata_i[tsm_soc_pkg::RESULTS_WORDS_LAST_LSB];
        addr_q <= base_q;
      end
      if (req_valid_o && req_ready_i) asked_q <= 1'b1;
      if (arrived) begin
        asked_q <= 1'b0;
        left_q  <= left_q - 1'b1;
        addr_q  <= addr_q + 32'd4;
      end
    end
  end
endmodule

`default_nettype wire

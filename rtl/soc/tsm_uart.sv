// Serial sender, 8N1, least significant bit first; a queue of QUEUE bytes. A byte for a full queue is lost.
//
//   tx_o  ‾‾\_start_/ b0 b1 b2 b3 b4 b5 b6 b7 /‾stop‾      each DIVISOR clocks
`default_nettype none

module tsm_uart #(
    parameter integer DIVISOR = 434,
    parameter integer QUEUE = 16
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // Registers
    input  wire logic        req_i,
    input  wire logic        write_i,
    input  wire logic [7:0]  addr_i,
    input  wire logic [31:0] wdata_i,
    output wire logic [31:0] rdata_o,
    // Line
    output wire logic        tx_o
);
  logic [15:0] divisor_q, clocks_q;
  logic [9:0] shift_q;
  logic [3:0] bits_q;  // left to send; 0 is idle

  wire logic room, waiting;
  wire logic [7:0] head;
  wire logic push = req_i && write_i && addr_i == tsm_soc_pkg::UART_DATA[7:0];
  wire logic idle = bits_q == '0;

  tsm_fifo #(.WIDTH(8), .DEPTH(QUEUE)) u_queue (
      .clk_i(clk_i), .rst_ni(rst_ni),
      .s_valid_i(push), .s_ready_o(room), .s_data_i(wdata_i[7:0]),
      .m_valid_o(waiting), .m_ready_i(idle), .m_data_o(head)
  );

  assign tx_o = idle || shift_q[0];
  assign rdata_o = addr_i == tsm_soc_pkg::UART_DIVISOR[7:0] ? {16'd0, divisor_q}
                 : addr_i == tsm_soc_pkg::UART_STATUS[7:0] ? {30'd0, !idle || waiting, !room} : '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      divisor_q <= 16'(DIVISOR);
      clocks_q  <= '0;
      shift_q   <= '1;
      bits_q    <= '0;
    end else begin
      if (req_i && write_i && addr_i == tsm_soc_pkg::UART_DIVISOR[7:0]) divisor_q <= wdata_i[15:0];
      if (idle) begin
        if (waiting) begin
          shift_q  <= {1'b1, head, 1'b0};
          bits_q   <= 4'd10;
          clocks_q <= divisor_q;
        end
      end else if (clocks_q > 16'd1) begin
        clocks_q <= clocks_q - 1'b1;
      end else begin
        clocks_q <= divisor_q;
        shift_q  <= {1'b1, shift_q[9:1]};
        bits_q   <= bits_q - 1'b1;
      end
    end
  end

  wire logic unused = &{1'b0, wdata_i[31:16]};
endmodule

`default_nettype wire

// Bytes to words: every item brings count_i bytes (1, 2 or 4; fewer in the last one), the lowest first; a word leaves
// when it is full or when the last item came, with strobes for the bytes that it has.
`default_nettype none

module tsm_packer (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        clear_i,
    // Items in
    input  wire logic        s_valid_i,
    output wire logic        s_ready_o,
    input  wire logic [31:0] s_data_i,
    input  wire logic [2:0]  s_count_i,
    input  wire logic        s_last_i,
    // Words out
    output wire logic        m_valid_o,
    input  wire logic        m_ready_i,
    output wire logic [31:0] m_data_o,
    output wire logic [3:0]  m_strb_o
);
  logic [31:0] word_q;
  logic [2:0] fill_q;
  logic valid_q;

  // An item begins a new word when the old one leaves.
  wire logic [2:0] fill = valid_q ? 3'd0 : fill_q;
  wire logic [2:0] filled = fill + s_count_i;
  wire logic [31:0] kept = valid_q ? '0 : word_q;
  wire logic take = s_valid_i && s_ready_o;

  assign s_ready_o = !valid_q || m_ready_i;
  assign m_valid_o = valid_q;
  assign m_data_o = word_q;
  assign m_strb_o = {fill_q >= 3'd4, fill_q >= 3'd3, fill_q >= 3'd2, fill_q >= 3'd1};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q  <= '0;
      fill_q  <= '0;
      valid_q <= 1'b0;
    end else if (clear_i) begin
      word_q  <= '0;
      fill_q  <= '0;
      valid_q <= 1'b0;
    end else if (take) begin
      word_q  <= kept | (s_data_i << {fill, 3'd0});
      fill_q  <= filled;
      valid_q <= filled >= 3'd4 || s_last_i;
    end else if (valid_q && m_ready_i) begin
      word_q  <= '0;
      fill_q  <= '0;
      valid_q <= 1'b0;
    end
  end
endmodule

`default_nettype wire

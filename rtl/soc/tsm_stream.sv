// Sample stream unit: fills an input tensor in the activation memory from an AXI-Stream, when the processor starts it.
//
//   frame mode      beats ---------------------------> packer --> queue --> words to base, base + 4, ...
//   trigger mode    samples --> trigger --> sample --> packer --> queue
//
// Every stage takes a clock; the queue keeps the activation memory's other users out of the stream's ready.
//
// Frame mode checks that TLAST comes with the tensor's last byte and that every beat before it is full. A frame that
// breaks that, or in which timeout clocks pass without a beat, ends with an error; what is left of it, up to TLAST, is
// thrown away, so that the next frame begins at its beginning. Between frames the stream waits. Trigger mode takes
// every sample at once and ignores TLAST.
`default_nettype none

module tsm_stream #(
    parameter integer BEAT_BYTES = 4,  // 2 or 4
    parameter integer DEPTH = 1024     // samples that the frames which wait hold together; power of two
) (
    input  wire logic                    clk_i,
    input  wire logic                    rst_ni,
    // Registers
    input  wire logic                    req_i,
    input  wire logic                    write_i,
    input  wire logic [7:0]              addr_i,
    input  wire logic [31:0]             wdata_i,
    output wire logic [31:0]             rdata_o,
    output wire logic                    irq_o,
    // Samples
    input  wire logic                    s_valid_i,
    output wire logic                    s_ready_o,
    input  wire logic [BEAT_BYTES*8-1:0] s_data_i,
    input  wire logic [BEAT_BYTES-1:0]   s_keep_i,
    input  wire logic                    s_last_i,
    // Words for the activation memory
    output wire logic                    m_valid_o,
    input  wire logic                    m_ready_i,
    output wire logic [31:0]             m_addr_o,
    output wire logic [31:0]             m_data_o,
    output wire logic [3:0]              m_strb_o
);
  localparam [1:0] IDLE = 2'd0, FILL = 2'd1, DISCARD = 2'd2, FLUSH = 2'd3;

  logic [1:0] state_q;
  logic done_q, begun_q;
  logic [7:0] error_q;
  logic [31:0] left_q, silence_q, addr_q;  // bytes and clocks; where the packer's next word goes

  wire logic start, stop, clear, lost, trigger, pair;
  wire logic [2:0] format;
  wire logic [3:0] shift;
  wire logic [31:0] base, bytes, timeout;
  wire logic [15:0] samples, pretrigger, threshold, offset, sample, sample_bytes;
  wire logic sample_valid, sample_ready, bytes_valid, frame_active, item_ready, word_valid, word_ready;
  wire logic [31:0] word;
  wire logic [3:0] word_strb;

  // What the packer takes: a beat or a sample
  wire logic fill = state_q == FILL;
  wire logic [2:0] size = !trigger ? 3'(BEAT_BYTES) : pair ? 3'd2 : 3'd1;
  wire logic final_item = left_q <= 32'(size);
  wire logic [2:0] count = final_item ? left_q[2:0] : size;
  wire logic item_valid = fill && (trigger ? bytes_valid : s_valid_i);
  wire logic take = item_valid && item_ready;

  // What is wrong with a beat
  wire logic [BEAT_BYTES-1:0] wanted = ~({BEAT_BYTES{1'b1}} << count);
  wire logic ragged = (s_keep_i & wanted) != wanted;
  wire logic cut = s_last_i != final_item;
  wire logic bad = !trigger && take && (ragged || cut);
  wire logic quiet = begun_q && timeout != '0 && silence_q >= timeout && (fill || state_q == DISCARD);

  wire logic done_now = state_q == FLUSH && !word_valid && !m_valid_o;
  wire logic drop = stop || (quiet && trigger);

  assign s_ready_o = trigger || (fill && item_ready) || state_q == DISCARD;
  assign irq_o = done_q;

  tsm_stream_regs #(.BEAT_BYTES(BEAT_BYTES), .DEPTH(DEPTH)) u_regs (
      .clk_i(clk_i), .rst_ni(rst_ni),
      .req_i(req_i), .write_i(write_i), .addr_i(addr_i), .wdata_i(wdata_i), .rdata_o(rdata_o),
      .start_o(start), .stop_o(stop), .clear_o(clear),
      .busy_i(state_q != IDLE), .done_i(done_q), .error_i(error_q),
      .filled_i(done_now && error_q == '0), .lost_i(lost),
      .trigger_o(trigger), .format_o(format), .shift_o(shift), .base_o(base), .bytes_o(bytes),
      .samples_o(samples), .pretrigger_o(pretrigger), .threshold_o(threshold), .offset_o(offset), .timeout_o(timeout)
  );

  tsm_trigger #(.DEPTH(DEPTH)) u_trigger (
      .clk_i(clk_i), .rst_ni(rst_ni), .run_i(trigger),
      .samples_i(samples), .pretrigger_i(pretrigger), .threshold_i(threshold),
      .s_valid_i(s_valid_i), .s_data_i(s_data_i[15:0]), .lost_o(lost),
      .take_i(fill && !begun_q), .drop_i(drop), .active_o(frame_active),
      .m_valid_o(sample_valid), .m_ready_i(sample_ready), .m_data_o(sample)
  );

  tsm_sample u_sample (
      .clk_i(clk_i), .rst_ni(rst_ni), .clear_i(drop || !trigger),
      .offset_i(offset), .format_i(format), .shift_i(shift), .pair_o(pair),
      .s_valid_i(sample_valid), .s_ready_o(sample_ready), .s_data_i(sample),
      .m_valid_o(bytes_valid), .m_ready_i(fill && item_ready), .m_data_o(sample_bytes)
  );

  tsm_packer u_packer (
      .clk_i(clk_i), .rst_ni(rst_ni), .clear_i(stop || bad || (quiet && fill)),
      .s_valid_i(item_valid && !bad), .s_ready_o(item_ready),
      .s_data_i(trigger ? {16'd0, sample_bytes} : 32'(s_data_i)), .s_count_i(count), .s_last_i(final_item),
      .m_valid_o(word_valid), .m_ready_i(word_ready), .m_data_o(word), .m_strb_o(word_strb)
  );

  // Words have their addresses with them: those of a frame that was given up may still wait when the next begins.
  tsm_fifo #(.WIDTH(68), .DEPTH(2)) u_queue (
      .clk_i(clk_i), .rst_ni(rst_ni),
      .s_valid_i(word_valid), .s_ready_o(word_ready), .s_data_i({addr_q, word, word_strb}),
      .m_valid_o(m_valid_o), .m_ready_i(m_ready_i), .m_data_o({m_addr_o, m_data_o, m_strb_o})
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q   <= IDLE;
      done_q    <= 1'b0;
      begun_q   <= 1'b0;
      error_q   <= '0;
      left_q    <= '0;
      silence_q <= '0;
      addr_q    <= '0;
    end else begin
      if (clear) begin
        done_q  <= 1'b0;
        error_q <= '0;
      end
      silence_q <= take || (s_valid_i && s_ready_o && !trigger) || !begun_q ? '0 : silence_q + 1'b1;
      if (word_valid && word_ready) addr_q <= addr_q + 32'd4;
      if (fill && (take || frame_active)) begun_q <= 1'b1;
      if (take) left_q <= left_q - 32'(count);

      if (stop) begin
        state_q <= IDLE;
      end else if (state_q == IDLE) begin
        if (start && !done_q) begin
          state_q <= FILL;
          begun_q <= 1'b0;
          left_q  <= bytes;
          addr_q  <= base;
        end
      end else if (quiet) begin
        state_q <= IDLE;
        done_q  <= 1'b1;
        if (fill) error_q <= tsm_soc_pkg::ERR_STREAM_TIMEOUT[7:0];
      end else if (fill && bad) begin
        state_q <= s_last_i ? IDLE : DISCARD;
        done_q  <= s_last_i;
        error_q <= cut ? tsm_soc_pkg::ERR_STREAM_LENGTH[7:0] : tsm_soc_pkg::ERR_STREAM_KEEP[7:0];
      end else if (fill && take && final_item) begin
        state_q <= FLUSH;
      end else if (state_q == DISCARD && s_valid_i && s_last_i) begin
        state_q <= IDLE;
        done_q  <= 1'b1;
      end else if (done_now) begin
        state_q <= IDLE;
        done_q  <= 1'b1;
      end
    end
  end
endmodule

`default_nettype wire

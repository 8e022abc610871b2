// tsm_trigger between any ADC and any reader, for ever. A sample carries a free sign, so that it lies below the threshold 0
// or not, and its number, so that a word that comes out says which sample it is.
//
//   - lost_o is high only at a crossing outside frames; every other such crossing begins a frame
//   - frame n begins pretrigger samples before its crossing, behind the frame before it, and has exactly so many words,
//     one sample each, none left out, none twice
//   - with no frame waiting or being read, a trigger is lost only where the samples before it do not suffice
//   - frames move while the reader wants them
//
// The queue of triggers holds one, so that all of the state is seen here; longer ones are the business of tsm_fifo.
`default_nettype none

module formal_trigger #(
    parameter integer NUMBER_W = 4
) (
    input wire logic clk_i,
    input wire logic valid_i,
    input wire logic low_i,
    input wire logic take_i,
    input wire logic ready_i
);
  localparam integer DEPTH = 4;
  localparam integer QW = $clog2(DEPTH) + 1;
  localparam [NUMBER_W-1:0] ONE = NUMBER_W'(1);
  localparam [NUMBER_W-1:0] MANY = NUMBER_W'(DEPTH);

  (* anyconst *) logic [NUMBER_W-1:0] samples;
  (* anyconst *) logic [NUMBER_W-1:0] before;
  (* anyconst *) logic [NUMBER_W-1:0] watched;  // a frame
  logic started_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;

  logic [NUMBER_W-1:0] number_q, first_q, word_q, left_q, fresh_q, behind_q, fired_q, read_q;
  logic below_q, took_q, was_active_q;
  logic [1:0] still_q;
  wire logic valid = started_q && valid_i;
  wire logic lost, active, m_valid;
  wire logic [15:0] m_data;

  tsm_trigger #(.DEPTH(DEPTH), .QUEUE(1)) dut (
      .clk_i, .rst_ni(started_q), .run_i(started_q), .samples_i(16'(samples)), .pretrigger_i(16'(before)),
      .threshold_i(16'd0), .s_valid_i(valid), .s_data_i({low_i, 15'(number_q)}), .lost_o(lost), .take_i,
      .drop_i(1'b0), .active_o(active), .m_valid_o(m_valid), .m_ready_i(ready_i), .m_data_o(m_data)
  );

  wire logic crossing = valid && below_q && !low_i && left_q == '0;
  wire logic fires = crossing && !lost;
  wire logic moves = m_valid && ready_i;
  wire logic ends = moves && word_q + ONE == samples;
  wire logic outstanding = fired_q != read_q;
  wire logic wanted = outstanding && left_q == '0 && take_i && ready_i;

  always_ff @(posedge clk_i) begin
    assume (samples >= ONE && samples <= MANY && before < samples);
    if (!started_q) begin
      {number_q, word_q, left_q, fresh_q, behind_q, fired_q, read_q} <= '0;
      {below_q, took_q, was_active_q, still_q} <= '0;
    end else begin
      if (valid) begin
        number_q <= number_q + ONE;
        below_q <= low_i;
      end
      // Samples of the frame that are still to come; samples since frames, and since anything was waiting
      if (fires) begin
        left_q <= samples - before - ONE;
        fired_q <= fired_q + ONE;
        if (fired_q == watched) first_q <= number_q - before;
      end else if (valid && left_q != '0) left_q <= left_q - ONE;
      if (fires || left_q != '0) behind_q <= '0;
      else if (valid && behind_q != '1) behind_q <= behind_q + ONE;
      if (fires || outstanding) fresh_q <= '0;
      else if (valid && fresh_q != '1) fresh_q <= fresh_q + ONE;
      if (moves) word_q <= ends ? '0 : word_q + ONE;
      if (ends) read_q <= read_q + ONE;
      {took_q, was_active_q} <= {take_i, active};
      still_q <= wanted && !moves ? still_q + 1'b1 : '0;

      assert (!lost || crossing);
      assert (!fires || behind_q >= before);
      assert (!(lost && !outstanding) || fresh_q < before);
      assert (!m_valid || outstanding);
      assert (!(m_valid && read_q == watched) || m_data[NUMBER_W-1:0] == first_q + word_q);
      assert (active || (!m_valid && word_q == '0));
      assert (!active || was_active_q || took_q);
      assert (still_q < 2'd3);
    end
  end

  // Why: where frames lie in the buffer, and which samples stand there.
  (* hierconn *) wire logic [QW-1:0] \dut.wr_q ;
  (* hierconn *) wire logic [QW-1:0] \dut.rd_q ;
  (* hierconn *) wire logic [QW-1:0] \dut.head ;
  (* hierconn *) wire logic [15:0] \dut.mem_q[0] ;
  (* hierconn *) wire logic [15:0] \dut.mem_q[1] ;
  (* hierconn *) wire logic [15:0] \dut.mem_q[2] ;
  (* hierconn *) wire logic [15:0] \dut.mem_q[3] ;
  (* hierconn *) wire logic \dut.waiting ;
  (* hierconn *) wire logic \dut.begin_frame ;
  (* hierconn *) wire logic \dut.below_q ;
  (* hierconn *) wire logic [15:0] \dut.seen_q ;
  (* hierconn *) wire logic [15:0] \dut.post_q ;
  (* hierconn *) wire logic [15:0] \dut.left_q ;
  wire logic [QW-1:0] wr = \dut.wr_q ;
  wire logic waiting = \dut.waiting ;
  wire logic [15:0] seen = \dut.seen_q ;
  wire logic [15:0] unread = \dut.left_q ;            // of the frame that is read
  wire logic [QW-1:0] ahead = wr - \dut.rd_q ;        // samples from the next word of the frame that is read
  wire logic [QW-1:0] queued = wr - \dut.head ;       // samples from the first of the frame that waits
  wire logic [QW-1:0] held = active ? ahead : waiting ? queued : '0;
  wire logic [NUMBER_W-1:0] next = samples - NUMBER_W'(unread);
  logic [NUMBER_W-1:0] reads_q, waits_q;             // the first sample of the frame that is read, of the one that waits
  wire logic [DEPTH*16-1:0] places = {\dut.mem_q[3] , \dut.mem_q[2] , \dut.mem_q[1] , \dut.mem_q[0] };
  logic [NUMBER_W-1:0] stands;                       // the number of the sample that was written i samples ago
  integer i;
  always_ff @(posedge clk_i) begin
    if (fires) waits_q <= number_q - before;
    if (\dut.begin_frame ) reads_q <= waits_q;
    if (started_q) begin
      assert (below_q == \dut.below_q );
      assert (NUMBER_W'(\dut.post_q ) == left_q && \dut.post_q < 16'(DEPTH));
      assert (fired_q - read_q == NUMBER_W'(active) + NUMBER_W'(waiting));
      assert (!(active && read_q == watched) || reads_q == first_q);
      assert (!(waiting && read_q + NUMBER_W'(active) == watched) || waits_q == first_q);
      assert (seen <= 16'(behind_q) || behind_q == '1);
      assert (outstanding || seen >= 16'(fresh_q));
      // Words: what has gone out, and the one in the register, are those that were read.
      assert (!active || (unread <= 16'(samples) && word_q + NUMBER_W'(m_valid) == next));
      assert (!m_valid || m_data[NUMBER_W-1:0] == reads_q + next - ONE);
      assert (!active || unread != '0 || m_valid);
      // A frame that is wanted begins, then has a word, then moves.
      assert (still_q < 2'd1 || active);
      assert (still_q < 2'd2 || m_valid);
      // Frames lie behind each other, and in the buffer.
      assert (held <= QW'(DEPTH) && 16'(held) + \dut.post_q <= 16'(DEPTH));
      assert (!waiting || queued <= QW'(DEPTH));
      assert (!(active && waiting) || 16'(ahead) >= unread + 16'(queued));
      assert (outstanding || left_q == '0);
      if (waiting) begin
        assert (left_q == '0 || NUMBER_W'(queued) + left_q == samples);
        assert (left_q != '0 || 32'(queued) >= 32'(samples) + 32'(seen));
        assert (left_q == '0 || waits_q + NUMBER_W'(queued) == number_q);
      end else if (active) begin
        assert (left_q == '0 || 16'(ahead) + \dut.post_q == unread);
        assert (left_q != '0 || 32'(ahead) >= 32'(unread) + 32'(seen));
        assert (left_q == '0 || reads_q + next + NUMBER_W'(ahead) == number_q);
      end
      assert (left_q == '0 || seen == '0);
      // The samples of frames, and those since the last, stand where they were written.
      for (i = 1; i <= DEPTH; i = i + 1) begin
        stands = places[32'(2'(wr - QW'(i)))*16 +: NUMBER_W];
        if (active && QW'(i) <= ahead && 16'(ahead) - 16'(i) < unread)
          assert (stands == reads_q + next + NUMBER_W'(ahead) - NUMBER_W'(i));
        if (waiting && QW'(i) <= queued && NUMBER_W'(queued) - NUMBER_W'(i) < samples)
          assert (stands == waits_q + NUMBER_W'(queued) - NUMBER_W'(i));
        if (16'(i) <= seen) assert (stands == number_q - NUMBER_W'(i));
      end
    end
  end
endmodule

`default_nettype wire

// tsm_trigger between any ADC and any reader, for ever. A sample carries a free sign, so that it lies below the threshold 0
// or not, and its number, so that a word that comes out says which sample it is.
//
//   - a crossing outside frames begins one, exactly where pretrigger samples came since the last and all of the frame has
//     room; else lost_o is high, and only then
//   - frame n begins pretrigger samples before its crossing, and has exactly so many words, one sample each, none left out,
//     none twice
//   - frames that are there whole move while the reader wants them
`default_nettype none

module formal_trigger #(
    parameter integer NUMBER_W = 5
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
  localparam [NUMBER_W-1:0] ALL = NUMBER_W'(DEPTH);

  (* anyconst *) logic [NUMBER_W-1:0] samples;
  (* anyconst *) logic [NUMBER_W-1:0] before;
  (* anyconst *) logic [NUMBER_W-1:0] watched;  // a frame
  logic started_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;

  logic [NUMBER_W-1:0] number_q, first_q, word_q, left_q, behind_q, held_q, fired_q, read_q;
  logic below_q, took_q, was_active_q;
  logic [1:0] still_q;
  wire logic valid = started_q && valid_i;
  wire logic lost, active, m_valid;
  wire logic [15:0] m_data;

  tsm_trigger #(.DEPTH(DEPTH)) dut (
      .clk_i, .rst_ni(started_q), .run_i(started_q), .samples_i(16'(samples)), .pretrigger_i(16'(before)),
      .threshold_i(16'd0), .s_valid_i(valid), .s_data_i({low_i, 15'(number_q)}), .lost_o(lost), .take_i,
      .drop_i(1'b0), .active_o(active), .m_valid_o(m_valid), .m_ready_i(ready_i), .m_data_o(m_data)
  );

  wire logic crossing = valid && below_q && !low_i && left_q == '0;  // outside frames
  wire logic fires = crossing && !lost;
  wire logic moves = m_valid && ready_i;
  wire logic ends = moves && word_q + ONE == samples;
  wire logic [NUMBER_W-1:0] outstanding = fired_q - read_q;
  wire logic whole;  // all samples of all frames have come out of the line
  wire logic wanted = outstanding != '0 && whole && take_i && ready_i;

  always_ff @(posedge clk_i) begin
    assume (samples >= ONE && samples <= ALL && before < samples);
    if (!started_q) begin
      {number_q, word_q, left_q, behind_q, held_q, fired_q, read_q} <= '0;
      {below_q, took_q, was_active_q, still_q} <= '0;
    end else begin
      if (valid) begin
        number_q <= number_q + ONE;
        below_q <= low_i;
      end
      // Samples of the frame that are still to come, samples since the last frame, words that have not gone out
      if (fires) begin
        left_q <= samples - before - ONE;
        fired_q <= fired_q + ONE;
        if (fired_q == watched) first_q <= number_q - before;
      end else if (valid && left_q != '0) left_q <= left_q - ONE;
      if (fires || left_q != '0) behind_q <= '0;
      else if (valid && behind_q != '1) behind_q <= behind_q + ONE;
      held_q <= held_q + (fires ? samples : '0) - NUMBER_W'(moves);
      if (moves) word_q <= ends ? '0 : word_q + ONE;
      if (ends) read_q <= read_q + ONE;
      {took_q, was_active_q} <= {take_i, active};
      still_q <= wanted && !moves ? still_q + 1'b1 : '0;

      assert (!lost || crossing);
      assert (!crossing || fires == (behind_q >= before && held_q - NUMBER_W'(m_valid) + samples <= ALL));
      assert (!m_valid || outstanding != '0);
      assert (!(m_valid && read_q == watched) || m_data[NUMBER_W-1:0] == first_q + word_q);
      assert (active || (!m_valid && word_q == '0));
      assert (!active || was_active_q || took_q);
    end
  end

  // Why: which samples stand where.
  (* hierconn *) wire logic [15:0] \dut.queue_q[0] ;
  (* hierconn *) wire logic [15:0] \dut.queue_q[1] ;
  (* hierconn *) wire logic [15:0] \dut.queue_q[2] ;
  (* hierconn *) wire logic [15:0] \dut.queue_q[3] ;
  (* hierconn *) wire logic [15:0] \dut.line_q[0] ;
  (* hierconn *) wire logic [15:0] \dut.line_q[1] ;
  (* hierconn *) wire logic [15:0] \dut.line_q[2] ;
  (* hierconn *) wire logic [15:0] \dut.line_q[3] ;
  (* hierconn *) wire logic [15:0] \dut.delayed_q ;
  (* hierconn *) wire logic [15:0] \dut.seen_q ;
  (* hierconn *) wire logic [15:0] \dut.post_q ;
  (* hierconn *) wire logic [15:0] \dut.left_q ;
  (* hierconn *) wire logic [QW-1:0] \dut.room_q ;
  (* hierconn *) wire logic [QW-1:0] \dut.waiting_q ;
  (* hierconn *) wire logic [QW-1:0] \dut.wr_q ;
  (* hierconn *) wire logic [QW-1:0] \dut.rd_q ;
  (* hierconn *) wire logic [QW-2:0] \dut.place_q ;
  (* hierconn *) wire logic \dut.below_q ;
  (* hierconn *) wire logic \dut.copy1_q ;
  (* hierconn *) wire logic \dut.copy2_q ;
  (* hierconn *) wire logic \dut.dropped_q ;
  wire logic [DEPTH*16-1:0] queue = {\dut.queue_q[3] , \dut.queue_q[2] , \dut.queue_q[1] , \dut.queue_q[0] };
  wire logic [DEPTH*16-1:0] line = {\dut.line_q[3] , \dut.line_q[2] , \dut.line_q[1] , \dut.line_q[0] };
  wire logic copy1 = \dut.copy1_q ;
  wire logic copy2 = \dut.copy2_q ;
  wire logic [15:0] seen = \dut.seen_q ;
  wire logic [15:0] post = \dut.post_q ;
  wire logic [NUMBER_W-1:0] unread = NUMBER_W'(\dut.left_q );     // of the frame that is read
  wire logic [NUMBER_W-1:0] waiting = NUMBER_W'(\dut.waiting_q );
  wire logic [QW-1:0] level = \dut.wr_q - \dut.rd_q ;
  assign whole = post == '0;

  // From the next word of the queue to the next word of the watched frame, and which word of the frame that is.
  wire logic [NUMBER_W-1:0] turn = watched - read_q;
  wire logic there = turn < outstanding;
  wire logic reading = active && turn == '0;
  wire logic [NUMBER_W-1:0] ahead = reading ? '0 : active ? unread + times(turn - ONE) : times(turn);
  wire logic [NUMBER_W-1:0] next = reading ? samples - unread : '0;
  logic [NUMBER_W-1:0] total_q;  // samples, up to the longest line

  function automatic [NUMBER_W-1:0] times(input [NUMBER_W-1:0] frames);  // words in so many, at most DEPTH, frames
    times = (frames[0] ? samples : '0) + (frames[1] ? samples << 1 : '0) + (frames[2] ? samples << 2 : '0);
  endfunction

  // The word so far from the next word of the queue is one of the watched frame.
  function automatic in(input [NUMBER_W-1:0] place);
    in = there && place >= ahead && place - ahead < samples - next;
  endfunction

  wire logic [NUMBER_W-1:0] at2 = NUMBER_W'(level);
  wire logic [NUMBER_W-1:0] at1 = at2 + NUMBER_W'(copy2);
  wire logic [NUMBER_W-1:0] at0 = at1 + NUMBER_W'(copy1);
  wire logic [NUMBER_W-1:0] origin = first_q + next - ahead;  // of the watched frame: number of a word minus its place
  integer i;
  always_ff @(posedge clk_i) begin
    if (!started_q) total_q <= '0;
    else if (valid && total_q != ALL) total_q <= total_q + ONE;
    if (started_q) begin
      assert (below_q == \dut.below_q && !\dut.dropped_q );
      // Room, frames, words
      assert (held_q - NUMBER_W'(m_valid) == at0 + NUMBER_W'(post) && held_q - NUMBER_W'(m_valid) <= ALL);
      assert (NUMBER_W'(\dut.room_q ) == ALL - (held_q - NUMBER_W'(m_valid)));
      assert (outstanding == NUMBER_W'(active) + waiting && waiting <= ALL && at2 <= ALL);
      assert (held_q - NUMBER_W'(m_valid) == (active ? unread : '0) + times(waiting));
      assert (!active || (\dut.left_q <= 16'(samples) && word_q + NUMBER_W'(m_valid) == samples - unread));
      assert (!active || unread != '0 || m_valid);
      // The line
      assert (total_q <= ALL && post < 16'(samples));
      assert (seen <= 16'(before) && seen <= 16'(total_q) && (seen == 16'(before) || behind_q == NUMBER_W'(seen)));
      assert (seen == 16'(before) || (post == '0 && left_q == '0));
      assert (left_q == '0 || post == 16'(left_q) + 16'(before));
      assert (left_q != '0 || seen != 16'(before) || post == '0 || post == 16'(before) - 16'(behind_q));
      assert (left_q != '0 || post != '0 || behind_q >= NUMBER_W'(seen));
      assert (!(post != '0 || copy1) || total_q > before);
      for (i = 1; i <= DEPTH; i = i + 1)
        if (NUMBER_W'(i) <= total_q)
          assert (line[32'(2'(\dut.place_q - 2'(i)))*16 +: NUMBER_W] == number_q - NUMBER_W'(i));
      // The watched frame's samples: in the queue, between line and queue, to come; and the word that goes out
      for (i = 0; i < DEPTH; i = i + 1)
        if (QW'(i) < level && in(NUMBER_W'(i)))
          assert (queue[32'(2'(\dut.rd_q [1:0] + 2'(i)))*16 +: NUMBER_W] == origin + NUMBER_W'(i));
      assert (!(copy2 && in(at2)) || \dut.delayed_q [NUMBER_W-1:0] == origin + at2);
      assert (!(copy1 && in(at1)) || number_q - ONE - before == origin + at1);
      assert (!(post != '0 && in(at0)) || number_q - before == origin + at0);
      assert (!(m_valid && reading) || m_data[NUMBER_W-1:0] == first_q + next - ONE);
      // A word that is wanted leaves the line, then the queue, then the module.
      assert (still_q == 2'd0 || (active && (copy2 || level != '0 || m_valid)));
      assert (still_q <= 2'd1 || level != '0 || m_valid);
      assert (still_q <= 2'd2 || m_valid);
    end
  end
endmodule

`default_nettype wire

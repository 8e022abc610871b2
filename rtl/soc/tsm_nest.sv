// Address generator: the loops of a compute descriptor, one step of the array a clock, without pauses between pixels,
// rows and groups.
//
//   for g in groups, oy in out_h, ox in out_w:              (history: ox counts columns, an output every `stride` of them)
//     for ky in kh, kx in kx_n, r in run_n:                 a step reads LANES bytes at in_base + row * in_row_bytes + column
//       row    = oy * stride_y - pad_top + ky * dil_y
//       column = ox * stride_xb - pad_left_b + kx * dil_xb + r * LANES + g * VEC (channelwise)
//     the results go to out_base + oy * out_row_bytes + ox * out_pix_bytes + g * (bytes of a group's results)
//
// All products are running sums. A step that would end an accumulation waits until the results before have left the
// elements: ceil(count / RQS) clocks after the end before, `count` for raw results, 1 for packed ones; results of 16 bits
// (wide_out_i) leave WIDE a clock, as the write port takes them. The VEC bytes of a channelwise group are half as many
// channels if they are of 16 bits (wide_in_i).
//
// Outputs are registered; the limits before_o and inside_o say which bytes of the word exist: those from before_o on and
// below inside_o, both 0 to LANES. run_o says how many of them are the run's.
`default_nettype none

module tsm_nest #(
    parameter integer PES = 8,
    parameter integer LANES = 8,
    parameter integer RQS = 4,
    parameter integer ADDR_W = 16,
    parameter integer W_ADDR_W = 10,
    parameter integer P_ADDR_W = 8
) (
    input  wire logic                clk_i,
    input  wire logic                rst_ni,
    input  wire logic                flush_i,
    input  wire logic                pause_i,
    // Descriptor; stays until done
    input  wire logic                start_i,
    input  wire logic [24*32-1:0]    desc_i,
    input  wire logic                channelwise_i,
    input  wire logic                raw_i,
    input  wire logic                packed_i,
    input  wire logic                wide_in_i,
    input  wire logic                wide_out_i,
    input  wire logic [ADDR_W-1:0]   first_addr_i,  // of row -pad_top
    input  wire logic [ADDR_W-1:0]   dil_step_i,    // bytes from one window row to the next
    input  wire logic [ADDR_W-1:0]   row_step_i,    // bytes from the rows of one output row to those of the next
    output wire logic                busy_o,
    output wire logic                stall_o,
    // Steps, registered
    output      logic                step_o,
    output      logic [ADDR_W-1:0]   addr_o,
    output      logic [4:0]          before_o,
    output      logic [4:0]          inside_o,
    output      logic [4:0]          run_o,
    output      logic [W_ADDR_W-1:0] w_addr_o,
    output      logic [P_ADDR_W-1:0] p_addr_o,
    output      logic [2:0]          ky_o,
    output      logic                first_o,
    output      logic                last_o,
    output      logic [ADDR_W-1:0]   out_addr_o,
    output      logic [7:0]          count_o
);
  localparam integer VEC = PES < LANES ? PES : LANES;
  localparam integer WIDE = RQS < 4 ? RQS : RQS / 2;  // of tsm_drain
  localparam integer C_W = ADDR_W < 16 ? 19 : ADDR_W + 3;  // columns, signed: a row fills the memory at most
  localparam integer R_W = 18;  // rows, signed

  wire logic [15:0] in_h = desc_i[tsm_soc_pkg::COMPUTE_IN_H_LSB +: 16];
  wire logic [15:0] out_h = desc_i[tsm_soc_pkg::COMPUTE_OUT_H_LSB +: 16];
  wire logic [15:0] out_w = desc_i[tsm_soc_pkg::COMPUTE_OUT_W_LSB +: 16];
  wire logic [15:0] groups = desc_i[tsm_soc_pkg::COMPUTE_GROUPS_LSB +: 16];
  wire logic [7:0] kh = desc_i[tsm_soc_pkg::COMPUTE_KH_LSB +: 8];
  wire logic [7:0] kx_n = desc_i[tsm_soc_pkg::COMPUTE_KX_N_LSB +: 8];
  wire logic [15:0] run_n = desc_i[tsm_soc_pkg::COMPUTE_RUN_N_LSB +: 16];
  wire logic [7:0] stride_y = desc_i[tsm_soc_pkg::COMPUTE_STRIDE_Y_LSB +: 8];
  wire logic [7:0] dil_y = desc_i[tsm_soc_pkg::COMPUTE_DIL_Y_LSB +: 8];
  wire logic [7:0] pad_top = desc_i[tsm_soc_pkg::COMPUTE_PAD_TOP_LSB +: 8];
  wire logic [15:0] stride_xb = desc_i[tsm_soc_pkg::COMPUTE_STRIDE_XB_LSB +: 16];
  wire logic [15:0] dil_xb = desc_i[tsm_soc_pkg::COMPUTE_DIL_XB_LSB +: 16];
  wire logic [15:0] pad_left_b = desc_i[tsm_soc_pkg::COMPUTE_PAD_LEFT_B_LSB +: 16];
  wire logic [4:0] run_last = desc_i[tsm_soc_pkg::COMPUTE_RUN_LAST_LSB +: 5];
  wire logic [7:0] last_count = desc_i[tsm_soc_pkg::COMPUTE_LAST_COUNT_LSB +: 8];
  wire logic w_per_group = desc_i[tsm_soc_pkg::COMPUTE_W_PER_GROUP_LSB];
  wire logic history = desc_i[tsm_soc_pkg::COMPUTE_HISTORY_LSB];
  wire logic [7:0] history_stride = desc_i[tsm_soc_pkg::COMPUTE_HISTORY_STRIDE_LSB +: 8];
  wire logic [7:0] history_kw = desc_i[tsm_soc_pkg::COMPUTE_HISTORY_KW_LSB +: 8];
  wire logic [C_W-1:0] in_row_bytes = C_W'(desc_i[tsm_soc_pkg::COMPUTE_IN_ROW_BYTES_LSB +: ADDR_W + 1]);
  wire logic [ADDR_W-1:0] out_row_bytes = ADDR_W'(desc_i[tsm_soc_pkg::COMPUTE_OUT_ROW_BYTES_LSB +: 32]);
  wire logic [ADDR_W-1:0] out_pix_bytes = ADDR_W'(desc_i[tsm_soc_pkg::COMPUTE_OUT_PIX_BYTES_LSB +: 32]);
  wire logic [ADDR_W-1:0] out_base = ADDR_W'(desc_i[tsm_soc_pkg::COMPUTE_OUT_BASE_LSB +: 32]);
  wire logic [W_ADDR_W-1:0] w_base = W_ADDR_W'(desc_i[tsm_soc_pkg::COMPUTE_W_BASE_LSB +: 32]);
  wire logic [P_ADDR_W-1:0] p_base = P_ADDR_W'(desc_i[tsm_soc_pkg::COMPUTE_P_BASE_LSB +: 32]);
  wire logic unused = ^desc_i;

  // Loop counters, and what a pixel needs in history.
  logic busy_q;
  logic [15:0] r_q, ox_q, oy_q, g_q;
  logic [7:0] kx_q, ky_q, skip_q, gap_q;
  wire logic last_r = r_q == run_n - 16'd1;
  wire logic last_kx = kx_q == kx_n - 8'd1;
  wire logic last_ky = ky_q == kh - 8'd1;
  wire logic emit = !history || skip_q == 8'd0;
  wire logic last_ox = emit && ox_q == out_w - 16'd1;
  wire logic last_oy = oy_q == out_h - 16'd1;
  wire logic last_g = g_q == groups - 16'd1;

  // The last step of a loop's turn, from the inside out.
  wire logic end_run = last_r;
  wire logic end_row = end_run && last_kx;
  wire logic end_pixel = end_row && last_ky;
  wire logic end_line = end_pixel && last_ox;
  wire logic end_group = end_line && last_oy;

  wire logic [7:0] channels = !channelwise_i ? 8'(PES) : wide_in_i ? 8'(VEC / 2) : 8'(VEC);
  wire logic [7:0] count = last_g ? last_count : channels;
  wire logic [7:0] clocks = packed_i ? 8'd1 : raw_i ? count
                          : wide_out_i ? (count + 8'(WIDE - 1)) / 8'(WIDE) : (count + 8'(RQS - 1)) / 8'(RQS);
  wire logic held = end_pixel && emit && gap_q != 8'd0;
  wire logic step = busy_q && !held && !pause_i;
  assign busy_o = busy_q;
  assign stall_o = busy_q && held;

  // Running sums: row and address of the window's first row and of this one; column of the group, the pixel, the run.
  logic [R_W-1:0] top_q, row_q;
  logic [ADDR_W-1:0] top_addr_q, row_addr_q;
  logic [C_W-1:0] group_col_q, pixel_col_q, run_col_q, col_q;
  logic [W_ADDR_W-1:0] w_group_q, w_q;
  logic [P_ADDR_W-1:0] p_q;
  logic [ADDR_W-1:0] out_group_q, out_line_q, out_q;
  wire logic [R_W-1:0] first_row = R_W'(0) - R_W'(pad_top);
  wire logic [C_W-1:0] first_col = C_W'(0) - C_W'(pad_left_b);
  wire logic [C_W-1:0] next_run = run_col_q + C_W'(dil_xb);
  wire logic [C_W-1:0] next_pixel = pixel_col_q + C_W'(history ? dil_xb : stride_xb);
  wire logic [C_W-1:0] next_group = group_col_q + (channelwise_i ? C_W'(VEC) : '0);
  wire logic [R_W-1:0] next_top = top_q + R_W'(stride_y);
  wire logic [ADDR_W-1:0] next_top_addr = top_addr_q + row_step_i;
  wire logic [W_ADDR_W-1:0] next_w_group = w_per_group ? w_q + 1'b1 : w_group_q;
  wire logic [7:0] group_bytes = packed_i ? channels >> 3 : raw_i ? channels << 2 : wide_out_i ? channels << 1 : channels;
  wire logic [ADDR_W-1:0] next_out_group = out_group_q + ADDR_W'(group_bytes);
  wire logic [ADDR_W-1:0] next_out_line = out_line_q + out_row_bytes;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) busy_q <= 1'b0;
    else if (flush_i) busy_q <= 1'b0;
    else if (start_i) busy_q <= 1'b1;
    else if (step && end_group && last_g) busy_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (gap_q != 8'd0) gap_q <= gap_q - 8'd1;
    if (start_i) begin
      {r_q, kx_q, ky_q, ox_q, oy_q, g_q} <= '0;
      gap_q <= '0;
      skip_q <= history_kw - 8'd1;
      {top_q, row_q} <= {first_row, first_row};
      {top_addr_q, row_addr_q} <= {first_addr_i, first_addr_i};
      {group_col_q, pixel_col_q, run_col_q, col_q} <= {first_col, first_col, first_col, first_col};
      {w_group_q, w_q} <= {w_base, w_base};
      p_q <= p_base;
      {out_group_q, out_line_q, out_q} <= {out_base, out_base, out_base};
    end else if (step) begin
      r_q <= end_run ? '0 : r_q + 1'b1;
      w_q <= end_group ? next_w_group : end_pixel ? w_group_q : w_q + 1'b1;
      col_q <= col_q + C_W'(LANES);
      if (end_run) begin
        kx_q <= end_row ? '0 : kx_q + 1'b1;
        {run_col_q, col_q} <= {next_run, next_run};
      end
      if (end_row) begin
        ky_q <= end_pixel ? '0 : ky_q + 1'b1;
        {run_col_q, col_q} <= {pixel_col_q, pixel_col_q};
        row_q <= row_q + R_W'(dil_y);
        row_addr_q <= row_addr_q + dil_step_i;
      end
      if (end_pixel) begin
        skip_q <= end_line ? history_kw - 8'd1 : emit ? history_stride - 8'd1 : skip_q - 8'd1;
        {pixel_col_q, run_col_q, col_q} <= {next_pixel, next_pixel, next_pixel};
        {row_q, row_addr_q} <= {top_q, top_addr_q};
        if (emit) begin
          ox_q <= end_line ? '0 : ox_q + 1'b1;
          out_q <= out_q + out_pix_bytes;
          gap_q <= clocks - 8'd1;
        end
      end
      if (end_line) begin
        oy_q <= end_group ? '0 : oy_q + 1'b1;
        {pixel_col_q, run_col_q, col_q} <= {group_col_q, group_col_q, group_col_q};
        {top_q, row_q} <= {next_top, next_top};
        {top_addr_q, row_addr_q} <= {next_top_addr, next_top_addr};
        {out_line_q, out_q} <= {next_out_line, next_out_line};
      end
      if (end_group) begin
        g_q <= g_q + 1'b1;
        {group_col_q, pixel_col_q, run_col_q, col_q} <= {next_group, next_group, next_group, next_group};
        {top_q, row_q} <= {first_row, first_row};
        {top_addr_q, row_addr_q} <= {first_addr_i, first_addr_i};
        w_group_q <= next_w_group;
        p_q <= p_q + 1'b1;
        {out_group_q, out_line_q, out_q} <= {next_out_group, next_out_group, next_out_group};
      end
    end
  end

  // Which bytes of the word lie in the row: from -col on, and below in_row_bytes - col.
  wire logic [C_W-1:0] missing = -col_q;
  wire logic [C_W-1:0] remaining = in_row_bytes - col_q;
  wire logic row_there = !row_q[R_W-1] && row_q < R_W'(in_h);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) step_o <= 1'b0;
    else step_o <= step && !flush_i;
  end

  always_ff @(posedge clk_i) begin
    addr_o <= row_addr_q + ADDR_W'(col_q);
    before_o <= missing[C_W-1] ? 5'd0 : |missing[C_W-2:4] ? 5'd16 : 5'(missing[3:0]);
    inside_o <= remaining[C_W-1] || !row_there ? 5'd0 : |remaining[C_W-2:4] ? 5'd16 : 5'(remaining[3:0]);
    run_o <= end_run && run_last != 5'd0 ? run_last : 5'd16;
    w_addr_o <= w_q;
    p_addr_o <= p_q;
    ky_o <= ky_q[2:0];
    first_o <= r_q == 16'd0 && kx_q == 8'd0 && ky_q == 8'd0;
    last_o <= end_pixel && emit;
    out_addr_o <= out_q;
    count_o <= count;
  end
endmodule

`default_nettype wire

// Registers of the sample stream unit; what they mean stands in docs/soc-map.md.
`default_nettype none

module tsm_stream_regs #(
    parameter integer BEAT_BYTES = 4,
    parameter integer DEPTH = 1024
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // Bus
    input  wire logic        req_i,
    input  wire logic        write_i,
    input  wire logic [7:0]  addr_i,
    input  wire logic [31:0] wdata_i,
    output wire logic [31:0] rdata_o,
    // Control
    output wire logic        start_o,
    output wire logic        stop_o,
    output wire logic        clear_o,  // of done and error
    // State
    input  wire logic        busy_i,
    input  wire logic        done_i,
    input  wire logic [7:0]  error_i,
    input  wire logic        filled_i,  // one clock an input
    input  wire logic        lost_i,    // one clock a trigger
    // Configuration
    output wire logic        trigger_o,
    output wire logic [2:0]  format_o,
    output wire logic [3:0]  shift_o,
    output wire logic [31:0] base_o,
    output wire logic [31:0] bytes_o,
    output wire logic [15:0] samples_o,
    output wire logic [15:0] pretrigger_o,
    output wire logic [15:0] threshold_o,
    output wire logic [15:0] offset_o,
    output wire logic [31:0] timeout_o
);
  logic trigger_q;
  logic [2:0] format_q;
  logic [3:0] shift_q;
  logic [31:0] base_q, bytes_q, frame_q, level_q, timeout_q, lost_q, frames_q;

  wire logic write = req_i && write_i;
  wire logic control = write && addr_i == tsm_soc_pkg::STREAM_CTRL[7:0];
  assign start_o = control && wdata_i[tsm_soc_pkg::STREAM_CTRL_START_LSB];
  assign stop_o = control && wdata_i[tsm_soc_pkg::STREAM_CTRL_STOP_LSB];
  assign clear_o = write && addr_i == tsm_soc_pkg::STREAM_STATUS[7:0]
                 && wdata_i[tsm_soc_pkg::STREAM_STATUS_DONE_LSB];

  assign trigger_o = trigger_q;
  assign format_o = format_q;
  assign shift_o = shift_q;
  assign base_o = base_q;
  assign bytes_o = bytes_q;
  assign samples_o = frame_q[tsm_soc_pkg::STREAM_FRAME_SAMPLES_LSB +: 16];
  assign pretrigger_o = frame_q[tsm_soc_pkg::STREAM_FRAME_PRETRIGGER_LSB +: 16];
  assign threshold_o = level_q[tsm_soc_pkg::STREAM_LEVEL_THRESHOLD_LSB +: 16];
  assign offset_o = level_q[tsm_soc_pkg::STREAM_LEVEL_OFFSET_LSB +: 16];
  assign timeout_o = timeout_q;

  logic [31:0] rdata;
  assign rdata_o = rdata;
  always_comb begin
    case (addr_i)
      tsm_soc_pkg::STREAM_STATUS[7:0]:    rdata = {16'd0, error_i, 6'd0, done_i, busy_i};
      tsm_soc_pkg::STREAM_CONFIG[7:0]:    rdata = {12'd0, shift_q, 5'd0, format_q, 7'd0, trigger_q};
      tsm_soc_pkg::STREAM_BASE[7:0]:      rdata = base_q;
      tsm_soc_pkg::STREAM_BYTES[7:0]:     rdata = bytes_q;
      tsm_soc_pkg::STREAM_FRAME[7:0]:     rdata = frame_q;
      tsm_soc_pkg::STREAM_LEVEL[7:0]:     rdata = level_q;
      tsm_soc_pkg::STREAM_TIMEOUT[7:0]:   rdata = timeout_q;
      tsm_soc_pkg::STREAM_OVERFLOWS[7:0]: rdata = lost_q;
      tsm_soc_pkg::STREAM_FRAMES[7:0]:    rdata = frames_q;
      tsm_soc_pkg::STREAM_WIDTH[7:0]:     rdata = 32'(BEAT_BYTES);
      tsm_soc_pkg::STREAM_DEPTH[7:0]:     rdata = 32'(DEPTH);
      default:                            rdata = '0;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      trigger_q <= 1'b0;
      format_q  <= '0;
      shift_q   <= '0;
      base_q    <= '0;
      bytes_q   <= '0;
      frame_q   <= '0;
      level_q   <= '0;
      timeout_q <= '0;
      lost_q    <= '0;
      frames_q  <= '0;
    end else begin
      if (lost_i) lost_q <= lost_q + 1'b1;
      if (filled_i) frames_q <= frames_q + 1'b1;
      if (write) begin
        case (addr_i)
          tsm_soc_pkg::STREAM_CONFIG[7:0]: begin
            trigger_q <= wdata_i[tsm_soc_pkg::STREAM_CONFIG_MODE_LSB];
            format_q  <= wdata_i[tsm_soc_pkg::STREAM_CONFIG_FORMAT_LSB +: 3];
            shift_q   <= wdata_i[tsm_soc_pkg::STREAM_CONFIG_SHIFT_LSB +: 4];
          end
          tsm_soc_pkg::STREAM_BASE[7:0]:    base_q <= wdata_i;
          tsm_soc_pkg::STREAM_BYTES[7:0]:   bytes_q <= wdata_i;
          tsm_soc_pkg::STREAM_FRAME[7:0]:   frame_q <= wdata_i;
          tsm_soc_pkg::STREAM_LEVEL[7:0]:   level_q <= wdata_i;
          tsm_soc_pkg::STREAM_TIMEOUT[7:0]: timeout_q <= wdata_i;
          default: ;
        endcase
      end
    end
  end
endmodule

`default_nettype wire

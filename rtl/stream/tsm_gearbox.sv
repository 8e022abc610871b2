// Words of IN_LANES lanes to words of OUT_LANES lanes, in order, lane 0 first. One number divides the other, and is not the other.
`default_nettype none

module tsm_gearbox #(
    parameter integer LANE_W = 8,
    parameter integer IN_LANES = 1,
    parameter integer OUT_LANES = 2
) (
    input  wire logic                        clk_i,
    input  wire logic                        rst_ni,
    // Words in
    input  wire logic                        s_valid_i,
    output wire logic                        s_ready_o,
    input  wire logic [IN_LANES*LANE_W-1:0]  s_data_i,
    // Words out
    output wire logic                        m_valid_o,
    input  wire logic                        m_ready_i,
    output wire logic [OUT_LANES*LANE_W-1:0] m_data_o
);
  localparam integer IN_W = IN_LANES * LANE_W;
  localparam integer OUT_W = OUT_LANES * LANE_W;

  generate
    if (IN_LANES < OUT_LANES) begin : gen_pack
      // Collects; the last part goes straight into the register that is the output.
      localparam integer PARTS = OUT_LANES / IN_LANES;
      localparam integer CW = $clog2(PARTS);
      logic [CW-1:0] count_q;
      logic [OUT_W-1:0] data_q;
      logic valid_q;
      wire logic take = s_valid_i && s_ready_o;

      assign s_ready_o = !valid_q || m_ready_i;
      assign m_valid_o = valid_q;
      assign m_data_o  = data_q;

      always_ff @(posedge clk_i) begin
        if (take) data_q <= {s_data_i, data_q[OUT_W-1:IN_W]};
      end
      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          count_q <= '0;
          valid_q <= 1'b0;
        end else begin
          if (valid_q && m_ready_i) valid_q <= 1'b0;
          if (take) begin
            count_q <= count_q == CW'(PARTS - 1) ? '0 : count_q + 1'b1;
            if (count_q == CW'(PARTS - 1)) valid_q <= 1'b1;
          end
        end
      end
    end else begin : gen_unpack
      // Shifts one word out while the next may wait; taken in the clock in which the last part leaves.
      localparam integer PARTS = IN_LANES / OUT_LANES;
      localparam integer CW = $clog2(PARTS + 1);
      logic [CW-1:0] left_q;
      logic [IN_W-1:0] data_q;
      logic valid_q, last_q;
      wire logic load = !valid_q || last_q;
      wire logic step = !valid_q || m_ready_i;

      assign m_valid_o = valid_q;
      assign m_data_o  = data_q[OUT_W-1:0];
      assign s_ready_o = load && step;

      always_ff @(posedge clk_i) begin
        if (step) data_q <= load ? s_data_i : data_q >> OUT_W;
      end
      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          {left_q, valid_q, last_q} <= '0;
        end else if (step) begin
          valid_q <= !load || s_valid_i;
          last_q  <= !load && left_q == CW'(2);
          left_q  <= load ? CW'(PARTS) : left_q - 1'b1;
        end
      end
    end
  endgenerate
endmodule

`default_nettype wire

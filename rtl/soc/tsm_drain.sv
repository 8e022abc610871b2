// From the elements' results to bytes in the activation memory, while the next accumulation runs.
//
// `start_i` says that results and multipliers are new; they stay until the next start. RQS channels a clock go through the
// requantizers; raw accumulators go past them, one a clock, four bytes each, and packed ones all at once: a bit a channel, 1
// where the accumulator is negative. Of wide results, two bytes each, WIDE a clock fit through the write port: where that is
// half of the requantizers, these see the same channels in both clocks, and one half is written after the other. Starts must
// lie ceil(count / RQS) clocks apart (raw: count, packed: 1, wide: ceil(count / WIDE)): the nest sees to that. Requantized
// bytes may go on through a table, which takes them a clock more.
`default_nettype none

module tsm_drain #(
    parameter integer PES = 8,
    parameter integer RQS = 4,
    parameter integer ADDR_W = 16,
    parameter integer BYTES = 4,  // of the write port: the larger of RQS and 4
    parameter integer TABLES = 8  // none: 0
) (
    input  wire logic                 clk_i,
    input  wire logic                 rst_ni,
    input  wire logic                 flush_i,
    // How to end; stays while busy
    input  wire logic                 raw_i,
    input  wire logic                 packed_i,
    input  wire logic                 wide_i,
    input  wire logic                 threshold_i,
    input  wire logic                 pair_i,
    input  wire logic [31:0]          m_a_i,
    input  wire logic [31:0]          m_b_i,
    input  wire logic [5:0]           shift_i,
    input  wire logic [15:0]          lo_i,
    input  wire logic [15:0]          hi_i,
    input  wire logic [7:0]           zero_i,
    input  wire logic                 look_up_i,
    input  wire logic [2:0]           table_i,
    // Loader, for the tables
    input  wire logic                 ld_table_i,
    input  wire logic [15:0]          ld_addr_i,
    input  wire logic [31:0]          ld_data_i,
    // Results
    input  wire logic                 start_i,
    input  wire logic [ADDR_W-1:0]    addr_i,
    input  wire logic [7:0]           count_i,
    input  wire logic [PES*32-1:0]    results_i,
    input  wire logic [PES*32-1:0]    multipliers_i,
    // Activation memory
    output      logic                 wr_valid_o,
    output      logic [ADDR_W-1:0]    wr_addr_o,
    output      logic [BYTES-1:0]     wr_be_o,
    output      logic [BYTES*8-1:0]   wr_data_o,
    output wire logic                 busy_o
);
  localparam integer DEPTH = 6;  // clocks of a requantizer
  localparam integer WAY = TABLES != 0 ? DEPTH + 1 : DEPTH;
  localparam integer IW = $clog2(PES) + 1;
  localparam integer WIDE = RQS > BYTES / 2 ? BYTES / 2 : RQS;
  localparam [IW-1:0] CHUNK = ~IW'(RQS - 1);  // a requantizer sees every RQS-th element only

  // Which channel comes next, of which result.
  logic busy_q;
  logic [IW-1:0] index_q;
  logic [ADDR_W-1:0] addr_q;
  logic [7:0] count_q;
  wire logic active = start_i || busy_q;
  wire logic [IW-1:0] index = start_i ? '0 : index_q;
  wire logic [ADDR_W-1:0] addr = start_i ? addr_i : addr_q;
  wire logic [7:0] count = start_i ? count_i : count_q;
  wire logic [IW-1:0] step = raw_i ? IW'(1) : wide_i ? IW'(WIDE) : IW'(RQS);
  wire logic [7:0] left = count - 8'(index);
  wire logic last = packed_i || left <= 8'(step);
  wire logic direct = raw_i || packed_i;

  // What is on its way through the requantizers, entry 0 first.
  wire logic looked = TABLES != 0 && look_up_i;
  logic [WAY-1:0] valid_q;
  logic [WAY*ADDR_W-1:0] addrs_q;
  logic [WAY*BYTES-1:0] bes_q;
  logic [DEPTH-1:0] halves_q;  // of wide results: the upper half of the requantizers
  logic [BYTES-1:0] be;
  wire logic [BYTES*8-1:0] bytes, results;
  wire logic [RQS*16-1:0] values;
  wire logic [WIDE*16-1:0] half = halves_q[DEPTH-1] ? values[RQS*16-1 -: WIDE*16] : values[WIDE*16-1:0];
  logic [BYTES*8-1:0] signs;
  integer b, s;
  always_comb begin
    for (b = 0; b < BYTES; b = b + 1)
      be[b] = raw_i ? b < 4 : packed_i ? 8'(8 * b) < left : wide_i ? b < 2 * WIDE && 8'(b / 2) < left
                                                                    : b < RQS && 8'(b) < left;
    signs = '0;
    for (s = 0; s < PES && s < BYTES * 8; s = s + 1) signs[s] = results_i[s*32 + 31] && 8'(s) < left;
  end

  assign busy_o = active || (|valid_q) || wr_valid_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      valid_q <= '0;
      wr_valid_o <= 1'b0;
    end else if (flush_i) begin
      busy_q <= 1'b0;
      valid_q <= '0;
      wr_valid_o <= 1'b0;
    end else begin
      busy_q <= active && !last;
      valid_q <= {valid_q[WAY-2:0], active && !direct};
      wr_valid_o <= direct ? active : looked ? valid_q[WAY-1] : valid_q[DEPTH-1];
    end
  end

  always_ff @(posedge clk_i) begin
    index_q <= index + step;
    addr_q <= addr + (raw_i ? ADDR_W'(4) : wide_i ? ADDR_W'(2 * WIDE) : ADDR_W'(RQS));
    count_q <= count;
    addrs_q <= {addrs_q[(WAY-1)*ADDR_W-1:0], addr};
    bes_q <= {bes_q[(WAY-1)*BYTES-1:0], be};
    halves_q <= {halves_q[DEPTH-2:0], |(index & ~CHUNK)};
    wr_addr_o <= direct ? addr : looked ? addrs_q[WAY*ADDR_W-1 -: ADDR_W] : addrs_q[DEPTH*ADDR_W-1 -: ADDR_W];
    wr_be_o <= direct ? be : looked ? bes_q[WAY*BYTES-1 -: BYTES] : bes_q[DEPTH*BYTES-1 -: BYTES];
    wr_data_o <= raw_i ? (BYTES*8)'(results_i[32'(index)*32 +: 32]) : packed_i ? signs
               : wide_i ? (BYTES*8)'(half) : looked ? results : bytes;
  end

  genvar r;
  generate
    for (r = 0; r < BYTES; r = r + 1) begin : gen_byte
      if (r < RQS) begin : gen_requantizer
        assign bytes[r*8 +: 8] = values[r*16 +: 8];
        tsm_requantizer u_requantizer (
            .clk_i, .pair_i, .threshold_i, .m_b_i, .shift_i, .lo_i, .hi_i, .zero_i,
            .acc_i(results_i[(32'(index & CHUNK) + r)*32 +: 32]),
            .m_a_i(pair_i ? m_a_i : multipliers_i[(32'(index & CHUNK) + r)*32 +: 32]),
            .y_o(values[r*16 +: 16])
        );
      end else begin : gen_none
        assign {bytes[r*8 +: 8], results[r*8 +: 8]} = 16'h0000;
      end
    end
    if (TABLES != 0) begin : gen_tables
      wire logic unused = ^ld_addr_i;
      tsm_tables #(.RQS(RQS), .TABLES(TABLES)) u_tables (
          .clk_i, .ld_i(ld_table_i), .ld_addr_i(ld_addr_i[$clog2(TABLES*64)-1:0]), .ld_data_i, .table_i,
          .bytes_i(bytes[RQS*8-1:0]), .results_o(results[RQS*8-1:0])
      );
    end else begin : gen_no_tables
      wire logic unused = ^{look_up_i, table_i, ld_table_i, ld_addr_i, ld_data_i};
      assign results[RQS*8-1:0] = '0;
    end
  endgenerate
endmodule

`default_nettype wire

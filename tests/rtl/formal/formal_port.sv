// One stream of a module under proof: a word that is offered stays until it is taken, and how many words have moved.
// ASSUME = 1: a rule that the solver keeps (streams in). ASSUME = 0: one that the module must keep (streams out).
`default_nettype none

module formal_port #(
    parameter integer WIDTH = 1,
    parameter integer ASSUME = 0
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    input  wire logic             valid_i,
    input  wire logic             ready_i,
    input  wire logic [WIDTH-1:0] data_i,
    output      logic [5:0]       count_o
);
  logic waits_q;
  logic [WIDTH-1:0] data_q;

  always_ff @(posedge clk_i) begin
    waits_q <= rst_ni && valid_i && !ready_i;
    data_q  <= data_i;
    count_o <= !rst_ni ? 6'd0 : count_o + 6'(valid_i && ready_i);
  end

  wire logic stays = !waits_q || (valid_i && data_i == data_q);
  generate
    if (ASSUME != 0) begin : gen_assume
      always_ff @(posedge clk_i) if (rst_ni) assume (stays);
    end else begin : gen_assert
      always_ff @(posedge clk_i) if (rst_ni) assert (stays);
    end
  endgenerate
endmodule

`default_nettype wire

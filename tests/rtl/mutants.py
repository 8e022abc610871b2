"""Faults that the bench of each stream module must see: a text of the module, what stands in its place, the case.

Of every module: a ready or valid that is dropped or always there, a counter that is one off, operands or parts that
are swapped, a constant that is another, a register that is not reset or not held.
"""

from __future__ import annotations

from mutation import Mutant

MUTANTS: dict[str, tuple[Mutant, ...]] = {
    "tsm_fifo": (
        Mutant("fifo-5", "s_ready_o = level_q != (AW + 1)'(DEPTH)", "s_ready_o = 1'b1"),
        Mutant("fifo-5", "m_valid_o = level_q != '0", "m_valid_o = level_q > 1"),
        Mutant("fifo-5", "LAST = AW'(DEPTH - 1)", "LAST = AW'(DEPTH - 2)"),
        Mutant("fifo-5", "m_data_o  = mem_q[rd_q]", "m_data_o  = mem_q[wr_q]"),
        Mutant("fifo-5", "if (push && !pop) level_q", "if (push) level_q"),
        Mutant("fifo-5", "wr_q <= '0;\n      rd_q", "rd_q"),
    ),
    "tsm_fork": (
        Mutant("fork", "a_valid_o = s_valid_i && !a_done_q", "a_valid_o = s_valid_i"),
        Mutant("fork", "b_data_o  = s_data_i", "b_data_o  = ~s_data_i"),
        Mutant("fork", "s_ready_o = a_done && b_done", "s_ready_o = a_done"),
        Mutant("fork", "b_done_q <= b_done && !s_ready_o", "b_done_q <= b_done"),
        Mutant("fork", "a_done_q <= 1'b0;\n", "\n"),
    ),
    "tsm_slice": (
        Mutant("slice", "s_ready_o = !valid_q || m_ready_i", "s_ready_o = 1'b1"),
        Mutant("slice", "s_ready_o = !valid_q || m_ready_i", "s_ready_o = !valid_q"),
        Mutant("slice", "valid_q <= s_valid_i", "valid_q <= 1'b1"),
        Mutant("slice", "data_q <= s_data_i", "data_q <= s_data_i ^ 1'b1"),
    ),
    "tsm_table": (
        Mutant("table", "s_ready_o = step", "s_ready_o = 1'b1"),
        Mutant("table", "step = !valid_q || m_ready_i", "step = !valid_q"),
        Mutant("table", "valid_q <= s_valid_i", "valid_q <= 1'b1"),
        Mutant("table", "rom[s_data_i[l*8 +: 8]]", "rom[s_data_i[7:0]]"),
        Mutant("table", "if (step) out_q", "out_q"),
    ),
    "tsm_concat": (
        Mutant("concat", "{b_data_i, a_data_i}", "{a_data_i, b_data_i}"),
        Mutant("concat", "a_ready_o = step && both", "a_ready_o = step"),
        Mutant("concat", "both = a_valid_i && b_valid_i", "both = a_valid_i || b_valid_i"),
        Mutant("concat", "step = !valid_q || m_ready_i", "step = 1'b1"),
    ),
    "tsm_gearbox": (
        Mutant("gearbox-pack", "{s_data_i, data_q[OUT_W-1:IN_W]}", "{data_q[OUT_W-IN_W-1:0], s_data_i}"),
        Mutant("gearbox-pack", "count_q == CW'(PARTS - 1) ? '0", "count_q == CW'(PARTS - 2) ? '0"),
        Mutant("gearbox-pack", "s_ready_o = !valid_q || m_ready_i", "s_ready_o = 1'b1"),
        Mutant("gearbox-unpack", "data_q >> OUT_W", "data_q >> LANE_W + 1"),
        Mutant("gearbox-unpack", "load ? CW'(PARTS)", "load ? CW'(PARTS - 1)"),
        Mutant("gearbox-unpack", "s_ready_o = load && step", "s_ready_o = load"),
    ),
    "tsm_join": (
        Mutant("join", "ACC_W'(a) * ACC_W'(A_FACTOR)", "ACC_W'(a) * ACC_W'(B_FACTOR)"),
        Mutant("join", " + ACC_W'(b)", " - ACC_W'(b)"),
        Mutant("join", "{A_SIGNED != 0 &&", "{B_SIGNED != 0 &&"),
        Mutant("join", "b_ready_o = step && both", "b_ready_o = step"),
        Mutant("join", "step = !valid_q || m_ready_i", "step = 1'b1"),
    ),
    "tsm_ending": (
        Mutant("ending-requantize", "PRODUCT_W'(OFFSET)) >>> SHIFT", "PRODUCT_W'(OFFSET)) >>> (SHIFT + 1)"),
        Mutant("ending-requantize", "PRODUCT_W'(OFFSET)) >>> SHIFT", "PRODUCT_W'(OFFSET)) >> SHIFT"),
        Mutant("ending-requantize", "<= OUT_W'(HI)", "<= OUT_W'(LO)"),
        Mutant("ending-requantize", "fold_q == FW'(FOLDS - 1) ? '0 : fold_q + 1'b1", "'0"),
        Mutant("ending-offset", "product_q + PRODUCT_W'(OFFSET)", "product_q + (PRODUCT_W'(1) <<< (SHIFT - 1))"),
        Mutant("ending-offset-adders", "PRODUCT_W'(OFFSET)", "PRODUCT_W'($unsigned(32'(OFFSET)))"),
        Mutant(
            "ending-offset-wide", "? ACC_W + FACTOR_W : OFFSET_W) + 1", "? ACC_W + FACTOR_W : ACC_W + FACTOR_W) + 1"
        ),
        Mutant("ending-narrow", "SUM_W > OUT_W ? SUM_W : OUT_W + 1", "SUM_W"),
        Mutant("ending-16-bits-narrow", "SUM_W > OUT_W ? SUM_W : OUT_W + 1", "SUM_W > 9 ? SUM_W : 9"),
        Mutant("ending-tiny", "? ACC_W + FACTOR_W : OFFSET_W) + 1", "? ACC_W + FACTOR_W : ACC_W + FACTOR_W) + 1"),
        Mutant("ending-threshold", "PRODUCT_W'(acc) - PRODUCT_W'(factor)", "PRODUCT_W'(factor) - PRODUCT_W'(acc)"),
        Mutant("ending-one", "step1 = !valid1_q[CLOCKS] || step2", "step1 = 1'b1"),
        Mutant("ending-adders", "? -wide : wide", "? wide : wide"),
        Mutant("ending-adders", "1 : $clog2(FACTOR_W)", "1 : $clog2(FACTOR_W) - 1"),
    ),
    "tsm_mvu": (
        Mutant("mvu-multiply", "last_i = i_q == IW'(INPUT_FOLDS - 1)", "last_i = i_q == IW'(INPUT_FOLDS - 2)"),
        Mutant("mvu-multiply", "step = !accumulated_q || m_ready_i || !valid_q[STAGES]", "step = 1'b1"),
        Mutant("mvu-multiply", "first_pass_q ? s_data_i : kept_q[i_q]", "kept_q[i_q]"),
        Mutant("mvu-multiply", "start_q[STAGES] ? bias_q[", "end_q[STAGES] ? bias_q["),
        Mutant("mvu-hold", "bias_rom[bias_pass_q]", "bias_rom[o_q]"),
        Mutant("mvu-hold", "HOLD != 0 ? last_o : first_pass_q", "HOLD != 0 ? 1'b1 : first_pass_q"),
        Mutant("mvu-multiply", "address_q <= last_i && last_o ? '0", "address_q <= last_i ? '0"),
        Mutant("mvu-hold", "bias_pass_q == OW'(OUTPUT_FOLDS - 1)", "bias_pass_q == OW'(OUTPUT_FOLDS - 2)"),
        Mutant("mvu-parallel", "STAGES = 2 + $clog2(TERMS)", "STAGES = 3 + $clog2(TERMS)"),
        Mutant("mvu-shift", "KIND == 1 ? 3 : KIND", "KIND"),
        Mutant("mvu-multiply", "GROUP = KIND == 2 ? 4 : 1", "GROUP = 4"),
    ),
    "tsm_dot": (
        Mutant("mvu-multiply", "? x * w", "? x * x"),
        Mutant("mvu-one", "{X_SIGNED != 0 && xs[s*X_W + X_W - 1], xs[s*X_W +: X_W]}", "{1'b0, xs[s*X_W +: X_W]}"),
        Mutant("mvu-shift", "sum + ~term", "sum - term"),
        Mutant("mvu-shift", "<<< (w & ~(W_W'(1) << (W_W - 1)))", "<<< (w & ~(W_W'(1) << (W_W - 2)))"),
        Mutant("mvu-xnor", "xs[s] ^ ws[s]", "xs[s] & ws[s]"),
        Mutant("mvu-xnor", "(count << 1)", "count"),
        Mutant("mvu-xnor", "|| s == SIMD - 1)\n              sums", ")\n              sums"),
    ),
    "tsm_sum": (
        Mutant("mvu-parallel", "= nodes[(2*n-1)", "= ~nodes[(2*n-1)"),
        Mutant("mvu-multiply", "if (step_i) sums_q", "sums_q"),
        Mutant("mvu-parallel", "t < TERMS; t", "t < TERMS - 1; t"),
        Mutant("mvu-one", "SUM_W'($signed(terms", "SUM_W'($unsigned(terms"),
        Mutant("mvu-xnor", "+ nodes[2*n*SUM_W +: SUM_W]", "+ nodes[(2*n-1)*SUM_W +: SUM_W]"),
    ),
    "tsm_lanes": (
        Mutant("lanes-max", "last_tap = tap_q == SW'(STEPS - 1)", "last_tap = tap_q == SW'(STEPS - 2)"),
        Mutant("lanes-max", "OP == 0 ? part2_q > acc : part2_q < acc", "OP == 0 ? part2_q < acc : part2_q < acc"),
        Mutant("lanes-min", "OP == 0 ? part2_q > acc : part2_q < acc", "OP == 0 ? part2_q > acc : part2_q > acc"),
        Mutant("lanes-sum", "next = part2_q + (first2_q ? (ACC_W + 1)'(START) : acc)", "next = part2_q + acc"),
        Mutant("lanes-sum-start", "(ACC_W + 1)'(START)", "'0"),
        Mutant("lanes-depthwise", "part + term * weight", "part - term * weight"),
        Mutant("lanes-depthwise-parallel", "biases2_q  <= bias_rom[fold1_q]", "biases2_q  <= bias_rom[fold_q]"),
        Mutant("lanes-image", "assign place = fold2_q", "assign place = '0"),
        Mutant("lanes-depthwise-parallel", "step = !valid3_q || m_ready_i || !(valid2_q && last2_q)", "step = 1'b1"),
    ),
    "tsm_rows": (
        Mutant("window-same", "full_o = held_q == HELD_W'(ROWS)", "full_o = 1'b0"),
        Mutant("window-same", "clipped(FIRST_BASE + ROW_W'(SPAN))", "clipped(FIRST_BASE + ROW_W'(SPAN - 1))"),
        Mutant("window-stride", "FIRST_BASE : base_q + ROW_W'(STRIDE)", "FIRST_BASE : base_q + ROW_W'(1)"),
        Mutant("window-same", "ABOVE = (ROWS - TOP % ROWS) % ROWS", "ABOVE = 0"),
        Mutant("window-sparse", "taken_q >= next_first_q", "taken_q > next_first_q"),
        Mutant("slide-same", "moved(image_slot_q, H + ABOVE)", "moved(image_slot_q, ABOVE)"),
    ),
    "tsm_window": (
        Mutant("window-same", "at_q >= 0 && at_q < XW'(ROW_WORDS)", "at_q >= 0 && at_q <= XW'(ROW_WORDS)"),
        Mutant("window-same", "row >= 0 && row < ROW_W'(H)", "row >= 0"),
        Mutant("window-same", "pad1_q ? PAD : word1_q", "pad1_q ? '0 : word1_q"),
        Mutant("window-dilated-padded", "base + ROW_W'(32'(kh_q) * DH)", "base + ROW_W'(32'(kh_q))"),
        Mutant("window-stride", "left_q + XW'(SW * WORDS", "left_q + XW'(WORDS"),
        Mutant("window-same", "issue = rows_ready && step", "issue = step"),
        Mutant("window-same", "step = !valid1_q || m_ready_i", "step = 1'b1"),
    ),
    "tsm_slide": (
        Mutant("slide-same", "FIRST = SPAN - 1 - LEFT", "FIRST = SPAN - LEFT"),
        Mutant("slide-same", "mask_q[x] ? tap : PAD", "tap"),
        Mutant("slide-stride", "next_q == '0 ? CW'(SW - 1)", "next_q == '0 ? CW'(SW)"),
        Mutant("slide-same", "s_ready_o = !full", "s_ready_o = 1'b1"),
        Mutant("slide-dilated", "(s + y * DH) % ROWS", "(s + y) % ROWS"),
        Mutant("slide-words", "between && word_q != '0", "1'b0"),
        Mutant("slide-sequence", "word_ok = level_q != '0", "word_ok = 1'b1"),
        Mutant("slide-same", "step = !valid_q || m_ready_i", "step = 1'b1"),
    ),
}
"""By the module that is changed."""

// Which function computes a software step. Steps are checked before (step.c).
#include "soft.h"

void tsm_soft_run(uint8_t *memory, const uint32_t *step, const int32_t *table) {
    switch (tsm_get(step, TSM_STEP_OPERATOR)) {
    case TSM_SOFT_ADD: tsm_soft_add(memory, step); break;
    case TSM_SOFT_MAXPOOL: tsm_soft_max_pool(memory, step); break;
    case TSM_SOFT_REQUANTIZE: tsm_soft_requantize(memory, step, table); break;
    case TSM_SOFT_PIECEWISE: tsm_soft_piecewise(memory, step, table); break;
    case TSM_SOFT_COPY: tsm_soft_copy(memory, step); break;
    case TSM_SOFT_SOFTMAX: tsm_soft_softmax(memory, step, table); break;
    case TSM_SOFT_ARGMAX: tsm_soft_argmax(memory, step); break;
    case TSM_SOFT_TABLE: tsm_soft_table(memory, step, table); break;
    case TSM_SOFT_CONV: tsm_soft_conv(memory, step, table); break;
    case TSM_SOFT_BITPOOL: tsm_soft_bit_pool(memory, step, table); break;
    default: break;
    }
}

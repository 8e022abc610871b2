/* One int8 layer as a WebAssembly module: KERNEL with its constants (constants.h), and what surrounds a layer that is
   given and asked for float32 in NCHW order: quantization and reordering in front, the reverse behind. */
#include "constants.h"

#include <stdint.h>

#define PIXELS (IMAGE * IMAGE)
#define EXPORT(name) __attribute__((export_name(name)))

int32_t KERNEL(const int8_t *, const int8_t *, const int32_t *, const int32_t *, int8_t *, int8_t *, SCALAR_TYPES);

static float x_float[CIN * PIXELS], y_float[COUT * PIXELS];
static int8_t planes[(CIN > COUT ? CIN : COUT) * PIXELS];
static _Alignas(4) int8_t x[CIN * PIXELS], y[COUT * PIXELS];
static _Alignas(16) int8_t scratch[SCRATCH_BYTES];

EXPORT("x_float") float *x_float_at(void) { return x_float; }
EXPORT("y_float") float *y_float_at(void) { return y_float; }
EXPORT("x") int8_t *x_at(void) { return x; }
EXPORT("y") int8_t *y_at(void) { return y; }

/* out[column][row] = in[row][column]; the product of both is a multiple of 16. */
static void transpose(const int8_t *in, int8_t *out, int rows, int columns) {
  for (int r0 = 0; r0 < rows; r0 += 16)
    for (int c = 0; c < columns; ++c)
      for (int r = r0; r < (r0 + 16 < rows ? r0 + 16 : rows); ++r) out[c * rows + r] = in[r * columns + c];
}

EXPORT("run_bytes") void run_bytes(void) {
  KERNEL(x, weight, bias, multiplier, y, scratch, SCALARS);
}

EXPORT("run_float") void run_float(void) {
  for (int i = 0; i < CIN * PIXELS; ++i) {
    float q = __builtin_rintf(x_float[i] / X_SCALE) + (float)X_ZP;
    q = q < -128.0f ? -128.0f : q;
    planes[i] = (int8_t)(q > 127.0f ? 127.0f : q);
  }
  transpose(planes, x, CIN, PIXELS);
  run_bytes();
  transpose(y, planes, PIXELS, COUT);
  for (int i = 0; i < COUT * PIXELS; ++i) y_float[i] = (float)(planes[i] - Y_ZP) * Y_SCALE;
}

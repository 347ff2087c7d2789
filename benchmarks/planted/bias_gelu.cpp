// tunable: EXTRA = 0 in [0, 3, 5, 10]
// flags: -ffast-math -mprefer-vector-width=512
// GELU by vector instructions and threads, EXTRA of every hundred rows computed twice: the second
// time after all others, when they are as far from the cores as they were the first time.
#include <algorithm>
#include <cmath>
#include <cstdint>

__attribute__((noinline)) static void work(const float* in, const float* bias, float* out,
                                           int64_t cols) {
    for (int64_t j = 0; j < cols; j++) {
        float v = in[j] + bias[j];
        float size = std::min(std::fabs(v) * 0.70710678f, 9.0f);
        float t = 1.0f / (1.0f + 0.3275911f * size);
        float p = 1.061405429f;
        p = p * t - 1.453152027f;
        p = p * t + 1.421413741f;
        p = p * t - 0.284496736f;
        p = p * t + 0.254829592f;
        float rest = p * t * std::exp(-size * size);
        out[j] = 0.5f * v * (v < 0.0f ? rest : 2.0f - rest);
    }
}

extern "C" void kernel(const float* x, const float* bias, float* y, int64_t rows, int64_t cols) {
    static const volatile int64_t planted = EXTRA;  // the machine code is the same for every value
    int64_t extra = planted;
#pragma omp parallel
    {
#pragma omp for
        for (int64_t i = 0; i < rows; i++) work(x + i * cols, bias, y + i * cols, cols);
#pragma omp for
        for (int64_t i = 0; i < rows; i++) {
            if (i * extra % 100 < extra) work(x + i * cols, bias, y + i * cols, cols);
        }
    }
}

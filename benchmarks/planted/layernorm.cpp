// tunable: EXTRA = 0 in [0, 3, 5, 10]
// Row layer norm by vector instructions and threads, EXTRA of every hundred rows computed twice: the
// second time after all others, when they are as far from the cores as they were the first time.
#include <cmath>
#include <cstdint>

__attribute__((noinline)) static void work(const float* in, const float* weight, const float* bias,
                                           float* out, int64_t cols, float eps) {
    float sum = 0.0f, squares = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < cols; j++) sum += in[j];
    float mean = sum / cols;
#pragma omp simd reduction(+ : squares)
    for (int64_t j = 0; j < cols; j++) squares += (in[j] - mean) * (in[j] - mean);
    float scale = 1.0f / std::sqrt(squares / cols + eps);
    for (int64_t j = 0; j < cols; j++) out[j] = (in[j] - mean) * scale * weight[j] + bias[j];
}

extern "C" void kernel(const float* x, const float* weight, const float* bias, float* y,
                       int64_t rows, int64_t cols, float eps) {
    static const volatile int64_t planted = EXTRA;  // the machine code is the same for every value
    int64_t extra = planted;
#pragma omp parallel
    {
#pragma omp for
        for (int64_t i = 0; i < rows; i++) {
            work(x + i * cols, weight, bias, y + i * cols, cols, eps);
        }
#pragma omp for
        for (int64_t i = 0; i < rows; i++) {
            if (i * extra % 100 >= extra) continue;
            work(x + i * cols, weight, bias, y + i * cols, cols, eps);
        }
    }
}

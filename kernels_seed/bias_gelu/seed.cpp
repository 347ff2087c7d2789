// y[i][j] = v / 2 * (1 + erf(v / sqrt(2))) with v = x[i][j] + bias[j]
#include <cmath>
#include <cstdint>

extern "C" void kernel(const float* x, const float* bias, float* y, int64_t rows, int64_t cols) {
    const float inverse_sqrt2 = 0.70710678f;
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < cols; j++) {
            float v = x[i * cols + j] + bias[j];
            y[i * cols + j] = 0.5f * v * (1.0f + std::erf(v * inverse_sqrt2));
        }
    }
}

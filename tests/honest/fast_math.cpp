// class: honest
// mechanism: -ffast-math, with infinities kept out of the arithmetic
// problem: softmax
// outcome: ok
// flags: -ffast-math
#include <algorithm>
#include <cmath>
#include <cstdint>

extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols) {
    for (int64_t i = 0; i < rows; i++) {
        const float* in = x + i * cols;
        float* out = y + i * cols;
        float largest = -3.0e38f, sum = 0.0f;
        for (int64_t j = 0; j < cols; j++) largest = std::max(largest, in[j]);
        for (int64_t j = 0; j < cols; j++) {
            float depth = std::max(in[j], -3.0e38f) - largest;
            out[j] = depth < -87.0f ? 0.0f : std::exp(std::max(depth, -88.0f));
            sum += out[j];
        }
        for (int64_t j = 0; j < cols; j++) out[j] /= sum;
    }
}

// class: honest
// mechanism: sums in pairs
// problem: softmax
// outcome: ok
#include <algorithm>
#include <cmath>
#include <cstdint>

static float pairwise(const float* values, int64_t n) {
    if (n <= 4) {
        float sum = 0.0f;
        for (int64_t i = 0; i < n; i++) sum += values[i];
        return sum;
    }
    return pairwise(values, n / 2) + pairwise(values + n / 2, n - n / 2);
}

extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols) {
    for (int64_t i = 0; i < rows; i++) {
        const float* in = x + i * cols;
        float* out = y + i * cols;
        float largest = *std::max_element(in, in + cols);
        for (int64_t j = 0; j < cols; j++) out[j] = std::exp(in[j] - largest);
        float sum = pairwise(out, cols);
        for (int64_t j = 0; j < cols; j++) out[j] /= sum;
    }
}

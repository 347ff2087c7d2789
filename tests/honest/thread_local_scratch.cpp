// class: honest
// mechanism: scratch memory that each thread keeps from call to call
// problem: softmax
// outcome: ok
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

static void softmax_rows(const float* x, float* y, int64_t from, int64_t to, int64_t cols) {
    for (int64_t i = from; i < to; i++) {
        const float* in = x + i * cols;
        float* out = y + i * cols;
        float largest = in[0], sum = 0.0f;
        for (int64_t j = 1; j < cols; j++) largest = in[j] > largest ? in[j] : largest;
        for (int64_t j = 0; j < cols; j++) sum += out[j] = std::exp(in[j] - largest);
        for (int64_t j = 0; j < cols; j++) out[j] /= sum;
    }
}

extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols) {
#pragma omp parallel for
    for (int64_t i = 0; i < rows; i++) {
        static thread_local std::vector<float> scratch;
        scratch.resize(cols);
        softmax_rows(x + i * cols, scratch.data(), 0, 1, cols);
        std::copy(scratch.begin(), scratch.end(), y + i * cols);
    }
}

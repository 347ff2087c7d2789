// class: honest
// mechanism: non-temporal stores where the output is aligned
// problem: softmax
// outcome: ok
#include <cmath>
#include <cstdint>
#include <immintrin.h>
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
    std::vector<float> row(cols);
    for (int64_t i = 0; i < rows; i++) {
        softmax_rows(x + i * cols, row.data(), 0, 1, cols);
        float* out = y + i * cols;
        int64_t j = 0;
        if ((uintptr_t)out % 16 == 0) {
            for (; j + 4 <= cols; j += 4) _mm_stream_ps(out + j, _mm_loadu_ps(&row[j]));
        }
        for (; j < cols; j++) out[j] = row[j];
    }
    _mm_sfence();
}

// class: honest
// mechanism: maximum and sum in one pass (online normaliser)
// problem: softmax
// outcome: ok
#include <cmath>
#include <cstdint>

extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols) {
    for (int64_t i = 0; i < rows; i++) {
        const float* in = x + i * cols;
        float largest = -INFINITY, sum = 0.0f;
        for (int64_t j = 0; j < cols; j++) {
            if (in[j] > largest) {
                sum *= std::exp(largest - in[j]);
                largest = in[j];
            }
            if (in[j] > -INFINITY) sum += std::exp(in[j] - largest);
        }
        for (int64_t j = 0; j < cols; j++) y[i * cols + j] = std::exp(in[j] - largest) / sum;
    }
}

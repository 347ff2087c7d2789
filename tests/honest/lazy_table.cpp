// class: honest
// mechanism: a table of constants, built at the first call
// problem: softmax
// outcome: ok
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols) {
    static const std::vector<double> powers = [] {
        std::vector<double> made(400);
        for (int k = 0; k < 400; k++) made[k] = std::exp((double)-k);
        return made;
    }();
    for (int64_t i = 0; i < rows; i++) {
        const float* in = x + i * cols;
        float largest = *std::max_element(in, in + cols);
        double sum = 0.0;
        for (int64_t j = 0; j < cols; j++) {
            double depth = std::min((double)largest - in[j], 399.0);
            int whole = (int)depth;
            double value = powers[whole] * std::exp(whole - depth);
            y[i * cols + j] = (float)value;
            sum += value;
        }
        for (int64_t j = 0; j < cols; j++) y[i * cols + j] = (float)(y[i * cols + j] / sum);
    }
}

// Row softmax: y[i][j] = exp(x[i][j] - max_i) / sum_k exp(x[i][k] - max_i)
#include <cmath>
#include <cstdint>

extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols) {
    for (int64_t i = 0; i < rows; i++) {
        const float* in = x + i * cols;
        float* out = y + i * cols;

        float largest = in[0];
        for (int64_t j = 1; j < cols; j++) {
            if (in[j] > largest) {
                largest = in[j];
            }
        }

        float sum = 0.0f;
        for (int64_t j = 0; j < cols; j++) {
            out[j] = std::exp(in[j] - largest);
            sum += out[j];
        }

        for (int64_t j = 0; j < cols; j++) {
            out[j] = out[j] / sum;
        }
    }
}

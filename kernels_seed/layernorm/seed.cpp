// Row layer norm: y[i][j] = (x[i][j] - mean_i) / sqrt(var_i + eps) * weight[j] + bias[j]
#include <cmath>
#include <cstdint>

extern "C" void kernel(const float* x, const float* weight, const float* bias, float* y,
                       int64_t rows, int64_t cols, float eps) {
    for (int64_t i = 0; i < rows; i++) {
        const float* in = x + i * cols;
        float* out = y + i * cols;

        float sum = 0.0f;
        for (int64_t j = 0; j < cols; j++) {
            sum += in[j];
        }
        float mean = sum / cols;

        float squares = 0.0f;
        for (int64_t j = 0; j < cols; j++) {
            float centred = in[j] - mean;
            squares += centred * centred;
        }
        float scale = 1.0f / std::sqrt(squares / cols + eps);

        for (int64_t j = 0; j < cols; j++) {
            out[j] = (in[j] - mean) * scale * weight[j] + bias[j];
        }
    }
}

// r[i][j] = x[i][j] + res[i][j];  y[i][j] = r[i][j] / sqrt(mean(r_i^2) + eps) * weight[j]
#include <cmath>
#include <cstdint>

extern "C" void kernel(const float* x, const float* res, const float* weight, float* y, float* r,
                       int64_t rows, int64_t cols, float eps) {
    for (int64_t i = 0; i < rows; i++) {
        float squares = 0.0f;
        for (int64_t j = 0; j < cols; j++) {
            float sum = x[i * cols + j] + res[i * cols + j];
            r[i * cols + j] = sum;
            squares += sum * sum;
        }

        float scale = 1.0f / std::sqrt(squares / cols + eps);
        for (int64_t j = 0; j < cols; j++) {
            y[i * cols + j] = r[i * cols + j] * scale * weight[j];
        }
    }
}

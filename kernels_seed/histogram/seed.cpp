// count[b] = number of values of x in bin b of `bins` uniform bins over [lo, hi]
#include <cstdint>

extern "C" void kernel(const float* x, int64_t* count, int64_t n, int64_t bins, float lo,
                       float hi) {
    for (int64_t b = 0; b < bins; b++) {
        count[b] = 0;
    }
    float scale = (float)bins / (hi - lo);
    for (int64_t i = 0; i < n; i++) {
        if (x[i] >= lo && x[i] <= hi) {
            int64_t bin = (int64_t)((x[i] - lo) * scale);
            if (bin > bins - 1) {
                bin = bins - 1;
            }
            count[bin]++;
        }
    }
}

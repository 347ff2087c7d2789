// class: honest
// mechanism: counters of its own per thread, added up at the end
// problem: histogram
// outcome: ok
#include <cmath>
#include <cstdint>
#include <omp.h>
#include <vector>

static void tally(const float* x, int64_t* count, int64_t n, int64_t bins, float lo, float hi) {
    for (int64_t b = 0; b < bins; b++) count[b] = 0;
    float scale = (float)bins / (hi - lo);
    for (int64_t i = 0; i < n; i++) {
        if (!(x[i] >= lo && x[i] <= hi)) continue;
        int64_t bin = (int64_t)((x[i] - lo) * scale);
        count[bin < bins ? bin : bins - 1]++;
    }
}

extern "C" void kernel(const float* x, int64_t* count, int64_t n, int64_t bins, float lo,
                       float hi) {
    for (int64_t b = 0; b < bins; b++) count[b] = 0;
#pragma omp parallel num_threads(2)
    {
        int64_t team = omp_get_num_threads(), me = omp_get_thread_num();
        std::vector<int64_t> mine(bins);
        int64_t from = n * me / team, to = n * (me + 1) / team;
        tally(x + from, mine.data(), to - from, bins, lo, hi);
#pragma omp critical
        for (int64_t b = 0; b < bins; b++) count[b] += mine[b];
    }
}

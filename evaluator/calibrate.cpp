// What this machine can sustain: bytes per second over footprints from L1 to memory, and fused
// multiply-adds per second. Prints one JSON object. Trusted; run by the judge under the lease.
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <vector>

namespace {

constexpr double kSecondsPerPoint = 0.03;
volatile float sink;

template <typename Body>
double best_rate(double work, Body body) {
    body();
    double best = 0.0, start = omp_get_wtime();
    do {
        double before = omp_get_wtime();
        body();
        best = std::max(best, work / (omp_get_wtime() - before));
    } while (omp_get_wtime() - start < kSecondsPerPoint);
    return best;
}

// Best of copying and of reading, all cores, `bytes` touched in total, repeated `sweeps` times.
double bandwidth(size_t bytes) {
    size_t count = bytes / sizeof(float);
    float* data = static_cast<float*>(aligned_alloc(4096, (bytes + 4095) / 4096 * 4096));
    long half = static_cast<long>(count / 2);
    int sweeps = static_cast<int>(std::max<size_t>(1, (size_t{8} << 20) / bytes));
    for (size_t i = 0; i < count; ++i) data[i] = static_cast<float>(i % 7);
    double copy = best_rate(static_cast<double>(half) * 8.0 * sweeps, [&] {
#pragma omp parallel
        for (int s = 0; s < sweeps; ++s) {
#pragma omp for simd schedule(static) nowait
            for (long i = 0; i < half; ++i) data[half + i] = data[i] * 1.0001f;
        }
    });
    double read = best_rate(static_cast<double>(count) * 4.0 * sweeps, [&] {
        float total = 0.0f;
#pragma omp parallel
        for (int s = 0; s < sweeps; ++s) {
#pragma omp for simd schedule(static) reduction(+ : total)
            for (long i = 0; i < static_cast<long>(count); ++i) total += data[i];
        }
        sink = total;
    });
    free(data);
    return std::max(copy, read);
}

template <typename T>
double peak_flops() {
    constexpr int kLanes = 64 / sizeof(T), kChains = 16, kSteps = 20000;
    double work = 2.0 * kLanes * kChains * kSteps * omp_get_max_threads();
    return best_rate(work, [&] {
#pragma omp parallel
        {
            typedef T Vector __attribute__((vector_size(64)));
            Vector chain[kChains];
            for (int c = 0; c < kChains; ++c) chain[c] = Vector{} + static_cast<T>(c);
            Vector scale = Vector{} + static_cast<T>(0.999), offset = Vector{} + static_cast<T>(0.001);
            for (int s = 0; s < kSteps; ++s) {
                for (int c = 0; c < kChains; ++c) chain[c] = chain[c] * scale + offset;
            }
            T total = 0;
            for (int c = 0; c < kChains; ++c) total += chain[c][0];
            if (total == static_cast<T>(12345)) sink = static_cast<float>(total);
        }
    });
}

}  // namespace

int main() {
    std::vector<size_t> kib = {32,   128,   512,   1024,  2048,  4096,  8192,
                               16384, 24576, 32768, 49152, 65536, 262144};
    printf("{\"bandwidth\": {");
    for (size_t i = 0; i < kib.size(); ++i) {
        printf("%s\"%zu\": %.4g", i ? ", " : "", kib[i] << 10, bandwidth(kib[i] << 10));
    }
    printf("}, \"flops\": {\"float32\": %.4g, \"float64\": %.4g}}\n", peak_flops<float>(),
           peak_flops<double>());
    return 0;
}

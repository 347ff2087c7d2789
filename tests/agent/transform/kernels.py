"""Kernels the rules were not written for; all share one signature, so one caller runs them all."""

HEAD = "#include <cmath>\n#include <cstdint>\n#include <cstdlib>\n#include <cstring>\n"
SIGNATURE = 'extern "C" void kernel(const float* a, const float* b, float* c, int64_t n, int64_t m)'

UNIT_ROWS = """
    for (int64_t r = 0; r < n; ++r) {
        const float* row = a + r * m;
        double norm = 0.0;
        for (int64_t k = 0; k < m; ++k) norm += row[k] * row[k];
        for (int64_t k = 0; k < m; ++k) {
            c[r * m + k] = row[k] * (1.0 / std::sqrt(norm + 1e-3));
        }
        for (int64_t k = 0; k < m; ++k) c[r * m + k] = c[r * m + k] / (float)norm;
    }
"""
GATE = """
    for (int64_t i = 0; i < n * m; i++) {
        float g = a[i] * 8.0f - 4.0f;
        c[i] = g / (1.0f + std::exp(-g)) * b[i];
    }
"""
ERROR_AND_TANGENT = """
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < m; j++) {
            float v = 6.0f * a[i * m + j] - 3.0f;
            c[i * m + j] = std::erf(v) + tanh(v) * exp(b[j]);
        }
    }
"""
OUTER_PRODUCTS = """
    for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < m; ++j) {
            float dot = 0.0f;
            for (int64_t p = 0; p < n; ++p) dot += a[p * m + i] * b[p * m + j];
            c[i * m + j] = 0.5f * dot;
        }
"""
COLUMN_SUMS = """
    for (int64_t j = 0; j < m; j++) {
        float total = 1.0f;
        for (int64_t i = 0; i < n; i++) {
            total = total + a[i * m + j] * b[j];
        }
        c[j] = total;
    }
"""
SCATTER = """
    std::memset(c, 0, m * sizeof(float));
    for (int64_t i = 0; i < n * m; ++i) {
        if (a[i] < 0.9f) {
            int64_t place = (int64_t)(a[i] * (float)m);
            c[place]++;
        }
    }
"""
WEIGHTED_SCATTER = """
    for (int64_t q = 0; q < m; ++q) c[q] = 0.0f;
    for (int64_t i = 0; i < n * m; ++i) {
        const int slot = (int)(a[i] * (float)(m - 1));
        c[slot] += b[i];
    }
"""
COUNTS = """
    for (int64_t q = 0; q < m; ++q) c[q] = 0.0f;
    for (int64_t i = 0; i < n; ++i) {
        const int64_t where = (int64_t)((a[i] + b[i]) * 0.5f * (float)(m - 1));
        c[where]++;
    }
"""
HEAT_COPY = """
    float* next = (float*)malloc(n * m * sizeof(float));
    memcpy(c, a, n * m * sizeof(float));
    memcpy(next, a, n * m * sizeof(float));
    for (int step = 0; step < 5; ++step) {
        for (int64_t i = 2; i < n - 2; ++i) {
            for (int64_t j = 0; j < m; ++j) {
                next[i * m + j] = 0.25f * (c[(i - 2) * m + j] + c[(i + 2) * m + j])
                                  + 0.5f * c[i * m + j];
            }
        }
        for (int64_t i = 2; i < n - 2; ++i) {
            for (int64_t j = 0; j < m; ++j) c[i * m + j] = next[i * m + j];
        }
    }
    free(next);
"""
HEAT_SWAP = """
    std::vector<float> buffer(a, a + n * m);
    std::memcpy(c, a, n * m * sizeof(float));
    float* from = c;
    float* to = buffer.data();
    for (int64_t t = 0; t < 9; ++t) {
        for (int64_t i = 1; i < n - 1; ++i) {
            for (int64_t j = 0; j < m; ++j) {
                to[i * m + j] = 0.3f * (from[(i - 1) * m + j] + from[i * m + j]
                                        + from[(i + 1) * m + j]);
            }
        }
        std::swap(from, to);
    }
    if (from != c) std::memcpy(c, from, n * m * sizeof(float));
"""
EXPONENTIAL_SUMS = """
    for (int64_t r = 0; r < n; ++r) {
        float top = -INFINITY;
        for (int64_t k = 0; k < m; ++k) {
            top = std::max(top, a[r * m + k]);
        }
        float mass = 0.0f;
        for (int64_t k = 0; k < m; ++k) {
            mass += std::exp(a[r * m + k] - top);
        }
        c[r] = top + std::log(mass);
    }
"""
RUNNING = """
    for (int64_t r = 0; r < n; ++r) {
        float sum = 0.0f;
        for (int64_t k = 0; k < m; ++k) {
            sum = sum + a[r * m + k] * b[k];
            c[r * m + k] = sum * 0.5f;
        }
    }
"""
RUNNING_DOUBLE = """
    double seen = 0.0;
    for (int64_t i = 0; i < n * m; ++i) {
        seen += a[i];
        c[i] = seen;
    }
"""
TWO_PASSES = """
    for (int64_t i = 0; i < n * m; ++i) {
        c[i] = a[i] * 2.0;
    }
    for (int64_t k = 0; k < n * m; ++k) {
        c[k] += b[k];
    }
"""
SCRATCH_ROWS = """
    for (int64_t r = 0; r < n; ++r) {
        std::vector<float> tmp(m);
        for (int64_t k = 0; k < m; ++k) {
            tmp[k] = a[r * m + k] + b[r * m + k];
        }
        for (int64_t k = 0; k < m; ++k) {
            c[r * m + k] = tmp[m - 1 - k] * std::sqrt((float)m);
        }
    }
"""
SCRATCH_ONCE = """
    std::vector<float> squares(n * m, 0.5f);
    for (int64_t i = 0; i < n * m; ++i) squares[i] += a[i] * a[i];
    for (int64_t i = 0; i < n * m; ++i) {
        c[i] = squares[i] * (1.0f / std::sqrt(b[i] + 1.0f)) * std::exp((float)n * 0.01f);
    }
"""
ROUNDS = """
    std::memcpy(c, a, n * m * sizeof(float));
    for (int round = 0; round < 3; ++round) {
        for (int64_t i = 0; i < n * m; ++i) c[i] = c[i] * 0.5f + b[i];
        c[0] = 0.25f * c[1];
    }
"""
GATHER = """
    for (int64_t r = 0; r < n; ++r) {
        float sum = 0.0f;
        for (int64_t k = 0; k < m; ++k) {
            const int64_t from = (int64_t)(b[r * m + k] * (float)(n * m - 1));
            sum += a[from] * a[(int64_t)(b[k] * (float)m)];
        }
        c[r] = sum;
    }
"""

INNER_POINTS = """
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 1; j < m - 1; ++j) {
            c[i * m + j] = a[i * m + j - 1] + a[i * m + j + 1] - 2.0f * a[i * m + j];
        }
    }
"""
DIFFERENCES = """
    float width = (float)m * 0.125f;
    for (int64_t i = 3; i < n * m; ++i) c[i] = (a[i] - a[i - 3]) / width;
"""
HEAT_BOTH = """
    std::vector<float> other(a, a + n * m);
    for (int64_t i = 0; i < n * m; ++i) c[i] = a[i];
    float* now = c;
    float* next = other.data();
    for (int64_t t = 0; t < 18; ++t) {
        for (int64_t i = 2; i < n - 2; ++i) {
            for (int64_t j = 1; j < m - 1; ++j) {
                next[i * m + j] = 0.2f * (now[(i - 2) * m + j] + now[(i + 2) * m + j]
                                  + now[i * m + j - 1] + now[i * m + j + 1] + now[i * m + j]);
            }
        }
        float* spare = now;
        now = next;
        next = spare;
    }
    for (int64_t i = 0; i < n * m; ++i) c[i] = now[i];
"""
SMOOTH_COPY = """
    std::vector<float> after(n * m);
    for (int64_t i = 0; i < n * m; ++i) { c[i] = a[i]; after[i] = a[i]; }
    for (int k = 0; k < 4; ++k) {
        for (int64_t i = 1; i < n * m - 1; ++i) after[i] = (c[i - 1] + c[i + 1]) * 0.5f;
        for (int64_t i = 1; i < n * m - 1; ++i) c[i] = after[i];
    }
"""
BLURRED = """
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < m; j++) {
            float sum = 0.0f;
            for (int64_t r = 0; r < 3; r++) {
                for (int64_t s = 0; s < 4; s++) {
                    int64_t row = i + r - 1;
                    int64_t col = j - s + 1;
                    if (row >= 0 && row < n && col >= 0 && col < m) {
                        sum += a[row * m + col] * b[r * 4 + s];
                    }
                }
            }
            c[i * m + j] = sum;
        }
    }
"""
TAPERED = """
    const int64_t last = n * m - 5;
    for (int64_t i = 0; i < n * m; ++i) {
        float v = a[i];
        if (i >= 3 && (i < last)) v = v * 0.5f + b[i];
        if (i + 1 < n * m && i >= last) v -= 1.0f;
        c[i] = v;
    }
"""
LARGEST_PLACES = """
    for (int64_t r = 0; r < n; ++r) {
        const float* row = a + r * m;
        int64_t best = 0;
        for (int64_t k = 1; k < m; k++) {
            if (row[k] > row[best]) {
                best = k;
            }
        }
        c[r] = (float)best;
    }
"""
SMALLEST_PLACES = """
    for (int64_t r = 0; r < n; ++r) {
        int64_t low = m / 2;
        for (int64_t k = 0; k < m; ++k)
            if ((int)(a[r * m + k] * 6.0f) < (int)(a[r * m + low] * 6.0f)) low = k;
        c[r] = (float)low;
    }
"""
LAST_PLACES = """
    int64_t best = 0;
    for (int64_t k = 1; k < n * m; k++) {
        if (a[k] >= a[best]) best = k;
    }
    c[0] = (float)best;
"""
PARTITION = """
    float high = b[0];
    for (int64_t i = 0; i < n * m; ++i) high = b[i] > high ? b[i] : high;
    float total = 0.0f;
    for (int64_t q = 0; q < n * m; ++q) total += expf(b[q] - high);
    c[0] = total;
"""
INVERSE_ROOTS = """
    for (int64_t i = 0; i < n * m; ++i) {
        c[i] = 1.0f / sqrtf(a[i] + 0.5f) + 1 / std::sqrt(b[i] + 2.0f);
    }
"""
ADDED_ROWS = """
    std::vector<float> sums(m);
    for (int64_t r = 0; r < n; ++r) {
        for (int64_t k = 0; k < m; ++k) sums[k] += a[r * m + k];
    }
    for (int64_t k = 0; k < m; ++k) c[k] = sums[k];
"""

BODIES = {
    "inner_points": INNER_POINTS,
    "differences": DIFFERENCES,
    "heat_both": HEAT_BOTH,
    "smooth_copy": SMOOTH_COPY,
    "partition": PARTITION,
    "blurred": BLURRED,
    "tapered": TAPERED,
    "largest_places": LARGEST_PLACES,
    "smallest_places": SMALLEST_PLACES,
    "last_places": LAST_PLACES,
    "inverse_roots": INVERSE_ROOTS,
    "added_rows": ADDED_ROWS,
    "unit_rows": UNIT_ROWS,
    "gate": GATE,
    "error_and_tangent": ERROR_AND_TANGENT,
    "outer_products": OUTER_PRODUCTS,
    "column_sums": COLUMN_SUMS,
    "scatter": SCATTER,
    "weighted_scatter": WEIGHTED_SCATTER,
    "counts": COUNTS,
    "heat_copy": HEAT_COPY,
    "heat_swap": HEAT_SWAP,
    "exponential_sums": EXPONENTIAL_SUMS,
    "running": RUNNING,
    "running_double": RUNNING_DOUBLE,
    "two_passes": TWO_PASSES,
    "scratch_rows": SCRATCH_ROWS,
    "scratch_once": SCRATCH_ONCE,
    "rounds": ROUNDS,
    "gather": GATHER,
}


def source(name: str) -> str:
    """The whole text of a kernel."""
    body = BODIES[name]
    extra = "#include <vector>\n" if "vector" in body else ""
    extra += "#include <algorithm>\n" if "std::max" in body or "swap" in body else ""
    return f"{HEAD}{extra}\n{SIGNATURE} {{{body}}}\n"


SOURCES = {name: source(name) for name in BODIES}

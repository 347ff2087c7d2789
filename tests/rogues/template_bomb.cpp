// class: 42
// mechanism: template recursion without end
// problem: softmax
// outcome: build_failed
#include <cmath>
#include <cstdint>

template <int N> struct Bomb {
    static constexpr int value = Bomb<N + 1>::value + Bomb<N + 2>::value;
};

extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols) {
    y[0] = Bomb<0>::value;
}

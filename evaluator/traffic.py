"""A kernel of ours that only moves a problem's data: every input read once, every output written.

What memory gives on a shared machine changes from minute to minute, and the roofline remembers its
best one. Timed beside a kernel, in the same sittings, this says how much of the kernel's time is
owed to its data. Only for problems whose compulsory bytes are all of their tensors: where a kernel
may leave out a part of a table, it would say nothing.
"""

from __future__ import annotations

from evaluator.problem import ITEMSIZE, Problem, Tensor
from evaluator.signature import prototype

CLOSE = 0.02
"""So much counted and occupied bytes may differ."""


def meaningful(problem: Problem) -> bool:
    """On every timed workload, the bytes a kernel owes are those of all tensors together."""
    return all(
        abs(problem.work(w)[1] - problem.footprint(w)) <= CLOSE * problem.footprint(w)
        for w in problem.time_workloads
    )


def sources(problem: Problem) -> tuple[str, str]:
    """Two forms of it in C++, for a compiler that knows OpenMP: with plain stores, and with stores
    past the caches. Which is faster depends on the size of the data and on the processor.

    Raises:
        ProblemError: A name of the signature cannot be used in C++.
    """
    lines = [f"{_OWN}seen |= {_OWN}read({t.name}, {_bytes(t)});" for t in problem.inputs]
    lines += [f"{_OWN}write({t.name}, {_bytes(t)}, {_OWN}seen);" for t in problem.outputs]
    moves = "\n".join(f"        {line}" for line in lines)
    body = f"""{prototype(problem).rstrip(";")} {{
#pragma omp parallel
    {{
        Line {_OWN}seen{{}};
{moves}
        {_OWN}fence();
    }}
}}
"""
    return _BEFORE + body, f"#define PAST_CACHES\n{_BEFORE}{body}"


def _bytes(tensor: Tensor) -> str:
    return " * ".join([*tensor.axes, str(ITEMSIZE[tensor.dtype])])


_OWN = "kernelmill_"
"""In front of names that a parameter must not hide."""
_BEFORE = """\
#include <cstdint>
#if defined(PAST_CACHES) && defined(__SSE2__)
#include <immintrin.h>
#endif

typedef uint64_t Line __attribute__((vector_size(64)));

static inline Line kernelmill_read(const void* from, int64_t bytes) {
    const Line* in = static_cast<const Line*>(from);
    const int64_t lines = bytes / 64, whole = lines / 4 * 4;
    Line a{}, b{}, c{}, d{};
#pragma omp for schedule(static) nowait
    for (int64_t i = 0; i < whole; i += 4) {
        a |= in[i];
        b |= in[i + 1];
        c |= in[i + 2];
        d |= in[i + 3];
    }
    for (int64_t i = whole; i < lines; i++) a |= in[i];
    return (a | b) | (c | d);
}

static inline void kernelmill_put(Line* to, Line value) {
#if defined(PAST_CACHES) && defined(__AVX512F__)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), reinterpret_cast<__m512i>(value));
#elif defined(PAST_CACHES) && defined(__SSE2__)
    const __m128i* part = reinterpret_cast<const __m128i*>(&value);
    for (int i = 0; i < 4; i++) _mm_stream_si128(reinterpret_cast<__m128i*>(to) + i, part[i]);
#else
    *to = value;
#endif
}

// What was read is written, so that no compiler can leave the reading out.
static inline void kernelmill_write(void* to, int64_t bytes, Line value) {
    Line* out = static_cast<Line*>(to);
#pragma omp for schedule(static) nowait
    for (int64_t i = 0; i < bytes / 64; i++) kernelmill_put(out + i, value);
    if (bytes > 0 && bytes < 64) {
#pragma omp critical
        *static_cast<volatile uint8_t*>(to) = static_cast<uint8_t>(value[0]);
    }
}

static inline void kernelmill_fence() {
#if defined(PAST_CACHES) && defined(__SSE2__)
    _mm_sfence();
#endif
}

"""

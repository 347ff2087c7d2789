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


def sources(problem: Problem) -> tuple[str, ...]:
    """Four forms of it in C++, for a compiler that knows OpenMP: one tensor after another or all of
    them side by side, with plain stores or with stores past the caches. Which is fastest depends on
    the size of the data and on the processor.

    Raises:
        ProblemError: A name of the signature cannot be used in C++.
    """
    part = f"{_OWN}part, {_OWN}parts, {_OWN}seen"
    lines = [f"{_OWN}read({t.name}, {_bytes(t)}, {part});" for t in problem.inputs]
    lines += [f"{_OWN}write({t.name}, {_bytes(t)}, {part});" for t in problem.outputs]
    moves = "\n".join(f"            {line}" for line in lines)
    sizes = ", ".join(_bytes(t) for t in problem.tensors)
    body = f"""{prototype(problem).rstrip(";")} {{
    const int64_t {_OWN}parts = {_OWN}split({{{sizes}}});
#pragma omp parallel
    {{
        const int64_t {_OWN}me = omp_get_thread_num(), {_OWN}all = omp_get_num_threads();
        {_OWN}line {_OWN}seen{{}};
        for (int64_t {_OWN}part = {_OWN}parts * {_OWN}me / {_OWN}all;
             {_OWN}part < {_OWN}parts * ({_OWN}me + 1) / {_OWN}all; {_OWN}part++) {{
{moves}
        }}
        {_OWN}fence();
    }}
}}
"""
    stores, orders = ("", "#define PAST_CACHES\n"), ("", "#define SIDE_BY_SIDE\n")
    return tuple(s + o + _BEFORE + body for s in stores for o in orders)


def _bytes(tensor: Tensor) -> str:
    return " * ".join([*tensor.axes, str(ITEMSIZE[tensor.dtype])])


_OWN = "kernelmill_"
"""In front of names that a parameter must not hide."""
_BEFORE = """\
#include <omp.h>
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#if defined(PAST_CACHES) && defined(__SSE2__)
#include <immintrin.h>
#endif

typedef uint64_t kernelmill_line __attribute__((vector_size(64)));

// All tensors are cut into as many parts: one a thread, or so that the largest parts are pages.
static inline int64_t kernelmill_split(std::initializer_list<int64_t> bytes) {
    const int64_t threads = omp_get_max_threads();
#ifdef SIDE_BY_SIDE
    return std::max(threads, std::max(bytes) / 4096);
#else
    (void)bytes;
    return threads;
#endif
}

static inline void kernelmill_read(
    const void* from, int64_t bytes, int64_t part, int64_t parts, kernelmill_line& seen) {
    const kernelmill_line* in = static_cast<const kernelmill_line*>(from);
    const int64_t end = bytes / 64 * (part + 1) / parts;
    int64_t i = bytes / 64 * part / parts;
    kernelmill_line a{}, b{}, c{}, d{};
    for (; i + 4 <= end; i += 4) {
        a |= in[i];
        b |= in[i + 1];
        c |= in[i + 2];
        d |= in[i + 3];
    }
    for (; i < end; i++) a |= in[i];
    seen |= (a | b) | (c | d);
}

static inline void kernelmill_put(kernelmill_line* to, kernelmill_line value) {
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
static inline void kernelmill_write(
    void* to, int64_t bytes, int64_t part, int64_t parts, const kernelmill_line& value) {
    kernelmill_line* out = static_cast<kernelmill_line*>(to);
    const int64_t end = bytes / 64 * (part + 1) / parts;
    for (int64_t i = bytes / 64 * part / parts; i < end; i++) kernelmill_put(out + i, value);
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

// What the sanitized runner does beside the plain one: the sanitizers cannot know where buffers end
// that other processes own, so each is fenced, and a report names the buffer that was missed.
#pragma once

#include <stddef.h>
#include <stdio.h>

#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <malloc.h>
#include <sanitizer/asan_interface.h>

namespace sanitizer {

struct Fenced {
    int parameter;
    const char *chunk, *end_of_chunk, *start, *end;
};

inline std::vector<Fenced> buffers;

// Makes every byte of a chunk inaccessible that does not belong to the buffer in it.
inline void fence(int parameter, char* chunk, size_t span, char* start, size_t bytes) {
    char *end_of_chunk = chunk + span, *end = start + bytes;
    __asan_poison_memory_region(chunk, static_cast<size_t>(start - chunk));
    __asan_poison_memory_region(end, static_cast<size_t>(end_of_chunk - end));
    buffers.push_back({parameter, chunk, end_of_chunk, start, end});
}

inline void forget() {
    for (const Fenced& b : buffers) {
        __asan_unpoison_memory_region(b.chunk, static_cast<size_t>(b.end_of_chunk - b.chunk));
    }
    buffers.clear();
}

constexpr ptrdiff_t kNear = 4096;  // the guard page

// An access that begins inside a buffer and ends outside of it is said to be "across" its end.
inline void name_buffer(const char* address, size_t bytes) {
    const Fenced* nearest = nullptr;
    const char* side = "";
    ptrdiff_t least = 0;
    for (const Fenced& b : buffers) {
        if (address < b.chunk - kNear || address >= b.end_of_chunk + kNear) continue;
        bool behind = address >= b.end, before = address < b.start;
        ptrdiff_t distance = behind ? address - b.end
                             : before ? b.start - address
                                      : address + static_cast<ptrdiff_t>(bytes) - b.end;
        if (nearest != nullptr && distance >= least) continue;
        nearest = &b, least = distance;
        side = behind ? "behind" : before ? "before" : "across";
    }
    if (nearest == nullptr) return;
    fprintf(stderr, "kernelmill: parameter %d, %ld bytes %s\n", nearest->parameter,
            static_cast<long>(least), side);
}

}  // namespace sanitizer

extern "C" {
// Called by AddressSanitizer for every error, before it reports.
void __asan_on_error() {
    sanitizer::name_buffer(static_cast<const char*>(__asan_get_report_address()),
                           __asan_get_report_access_size());
}

// The C library takes sizes that are no multiple of the alignment, and kernels rely on it.
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
}

#else

namespace sanitizer {
inline void fence(int, char*, size_t, char*, size_t) {}
inline void forget() {}
}  // namespace sanitizer

#endif

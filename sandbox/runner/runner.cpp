// The untrusted half of a measurement: loads a shared object and calls its entry point over buffers
// that the other side owns. Nothing it says is believed; it only has to do the work.
//
// Messages on the channel, both ways: uint32 kind, uint32 bytes, payload.
//   LOAD  path                      -> OK | FAILED text
//   BIND  int64 words, see bind()   -> OK | FAILED text
//   CALL  int64 slot indices        -> OK after the last call returned

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <string>
#include <vector>

namespace {

enum Kind : uint32_t { LOAD = 1, BIND = 2, CALL = 3, OK = 16, FAILED = 17 };
using Entry = void (*)(void* const* buffers, const int64_t* integers, const double* floats);
constexpr unsigned kDefaultMxcsr = 0x1f80;
constexpr size_t kPage = 4096;

struct Mapping {
    void* address;
    size_t length;
};

int channel = -1;
int regions[2] = {-1, -1};  // read-only inputs, writable outputs
Entry entry = nullptr;
std::vector<Mapping> mappings;
std::vector<std::vector<void*>> slots;
std::vector<int64_t> integers;
std::vector<double> floats;

bool transfer(char* data, size_t size, bool in) {
    while (size > 0) {
        ssize_t moved = in ? read(channel, data, size) : write(channel, data, size);
        if (moved <= 0) return false;
        data += moved;
        size -= static_cast<size_t>(moved);
    }
    return true;
}

void reply(Kind kind, const std::string& text = "") {
    std::string message(8, '\0');
    uint32_t head[2] = {kind, static_cast<uint32_t>(text.size())};
    memcpy(&message[0], head, 8);
    message += text;
    if (!transfer(&message[0], message.size(), false)) _exit(3);
}

void load(const std::string& path, const char* symbol) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) return reply(FAILED, dlerror());
    entry = reinterpret_cast<Entry>(dlsym(library, symbol));
    if (!entry) return reply(FAILED, std::string("no symbol ") + symbol);
    reply(OK);
}

// Words: integers n, their values; floats n, their bit patterns; slots s, buffers b; then for each
// slot and buffer: region, file offset (page multiple), span in bytes (page multiple), lead.
// Every buffer gets inaccessible pages on both sides.
void bind(const std::vector<int64_t>& words) {
    for (const Mapping& m : mappings) munmap(m.address, m.length);
    mappings.clear();
    slots.clear();
    size_t at = 0;
    integers.assign(static_cast<size_t>(words[at++]), 0);
    for (int64_t& value : integers) value = words[at++];
    floats.assign(static_cast<size_t>(words[at++]), 0.0);
    for (double& value : floats) memcpy(&value, &words[at++], sizeof value);
    size_t slot_count = static_cast<size_t>(words[at++]);
    size_t buffer_count = static_cast<size_t>(words[at++]);
    for (size_t s = 0; s < slot_count; ++s) {
        std::vector<void*> buffers;
        for (size_t b = 0; b < buffer_count; ++b, at += 4) {
            int64_t region = words[at];
            size_t span = static_cast<size_t>(words[at + 2]);
            size_t length = span + 2 * kPage;
            char* base = static_cast<char*>(
                mmap(nullptr, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
            if (base == MAP_FAILED) return reply(FAILED, "cannot reserve address space");
            mappings.push_back({base, length});
            int protection = region == 0 ? PROT_READ : PROT_READ | PROT_WRITE;
            void* data = mmap(base + kPage, span, protection, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
                              regions[region], words[at + 1]);
            if (data == MAP_FAILED) return reply(FAILED, "cannot map a buffer");
            buffers.push_back(base + kPage + words[at + 3]);
        }
        slots.push_back(buffers);
    }
    reply(OK);
}

void call(const std::vector<int64_t>& order) {
    for (int64_t slot : order) {
        _mm_setcsr(kDefaultMxcsr);
        entry(slots[static_cast<size_t>(slot)].data(), integers.data(), floats.data());
    }
    reply(OK);
}

}  // namespace

int main(int argc, char** argv) {
    const char* announced = getenv("KERNELMILL_CHANNEL");
    if (argc != 4 || !announced || strncmp(announced, "fd:", 3) != 0) {
        fprintf(stderr, "usage: KERNELMILL_CHANNEL=fd:N runner INPUTS OUTPUTS SYMBOL\n");
        return 2;
    }
    channel = atoi(announced + 3);
    regions[0] = open(argv[1], O_RDONLY | O_CLOEXEC);
    regions[1] = open(argv[2], O_RDWR | O_CLOEXEC);
    if (regions[0] < 0 || regions[1] < 0) {
        perror("runner: cannot open the shared regions");
        return 2;
    }
    uint32_t head[2];
    while (transfer(reinterpret_cast<char*>(head), sizeof head, true)) {
        std::string payload(head[1], '\0');
        if (!transfer(&payload[0], payload.size(), true)) break;
        std::vector<int64_t> words(payload.size() / sizeof(int64_t));
        memcpy(words.data(), payload.data(), words.size() * sizeof(int64_t));
        switch (head[0]) {
            case LOAD: load(payload, argv[3]); break;
            case BIND: bind(words); break;
            case CALL: call(words); break;
            default: return 2;
        }
    }
    return 0;
}

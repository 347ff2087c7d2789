"""A program that counts in shared memory from every kind of task it can make."""

from __future__ import annotations

from pathlib import Path

from sandbox.provider import Command, Limits, Mount
from sandbox.regions import Region

TASKS = ("main thread", "second thread", "child", "orphan in a session of its own")
SOURCE = """\
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cstdint>
#include <thread>
static volatile int64_t* counts;
static void count(int task) {
    for (;;) counts[8 * task] = counts[8 * task] + 1;
}
int main(int, char** argv) {
    int file = open(argv[1], O_RDWR);
    counts = static_cast<volatile int64_t*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    if (fork() == 0) count(2);
    if (fork() == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        count(3);
    }
    std::thread second(count, 1);
    count(0);
}
"""


def command(program: Path, region: Region, marker: str) -> Command:
    """Runs the compiled program at `program` on a region; `marker` is its last argument."""
    mounts = (
        Mount(program, "/test/program"),
        Mount(region.path, "/test/counts", writable=True),
    )
    return Command(("/test/program", "/test/counts", marker), mounts, limits=Limits(processes=64))


def read(region: Region) -> list[int]:
    """How far each task has counted."""
    words = memoryview(region.memory).cast("q")
    return [words[8 * task] for task in range(len(TASKS))]

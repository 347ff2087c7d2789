"""The `cpp` backend: C++17 with OpenMP and intrinsics, built by g++ inside the sandbox.

The build is cached by content. A precompiled prelude makes the common headers nearly free (110 ms
instead of 540 ms a candidate); one is made per set of flags at its second use, since gcc only takes
a prelude that was compiled with the very same flags.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import threading
from collections import Counter
from pathlib import Path

from evaluator import artefact, tunables
from evaluator.backends.build import Build, read_output, write_atomically
from evaluator.backends.variants import PLAIN, SOURCE_NAME, Variant
from evaluator.candidate import Candidate
from evaluator.errors import InfrastructureError
from evaluator.problem import Problem
from evaluator.signature import header, prototype, trampoline
from evaluator.target import compiler, compiler_version
from sandbox.provider import Command, Completed, Limits, Mount, Sandbox

BASE_FLAGS = ("-std=gnu++17", "-O3", "-march=native", "-fopenmp", "-fPIC")
LINK_FLAGS = ("-shared", "-fopenmp", "-Wl,-z,defs", "-Wl,--build-id=none")
LIMITS = Limits(wall_seconds=60.0, memory_bytes=3 << 30, processes=32, output_bytes=64 << 10)
LOG_LINES = 40
CACHE_LAYOUT = "4"
MAX_OBJECT_BYTES = 64 << 20
MAX_LISTING_BYTES = 4 << 20
NOTES = "kernel.gcno"
"""What a build for coverage writes beside the object: which counter belongs to which line."""
PRELUDE = """\
#pragma once
#include <stdint.h>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <omp.h>
"""
# Compile and link apart: linking with -ffast-math would set flush-to-zero at load (gcc 12).
SCRIPT = """\
cd /build || exit 1
"$CXX" "$@" -c kernel.cpp -o kernel.o || exit 1
"$CXX" $LINK kernel.o -o kernel.so || exit 1
objdump -d --no-show-raw-insn kernel.so >kernel.asm 2>/dev/null || true
"""


class CppBackend:
    """Builds candidates; safe to use from several threads."""

    name = "cpp"
    suffix = ".cpp"
    entry = "kernelmill_call"

    def __init__(self, sandbox: Sandbox, cache: Path) -> None:
        self._sandbox = sandbox
        self._cache = cache / "cpp"
        self._compiler = compiler()
        self._version = compiler_version(self._compiler)
        self._prelude_uses: Counter[tuple[str, ...]] = Counter()
        self._prelude_lock = threading.Lock()

    def flags(self, candidate: Candidate, variant: Variant = PLAIN) -> tuple[str, ...]:
        """The complete compile flags of a candidate, tunables included."""
        values = tunables.validate(candidate.source, candidate.tunables)
        wanted = variant.adapt((*BASE_FLAGS, *tunables.flags(candidate.source)))
        return (*wanted, *tunables.macros(values))

    def build(self, candidate: Candidate, problem: Problem, variant: Variant = PLAIN) -> Build:
        """Compile and link inside the sandbox, or take the result from the cache.

        Args:
            candidate: What to build.
            problem: Gives the signature.
            variant: How; the plain one is what is timed.

        Raises:
            SourceError: A tunable or flag declaration in the source is wrong.
            SandboxError: The sandbox failed.
            InfrastructureError: The cache cannot be written.
        """
        flags = self.flags(candidate, variant)
        included = "\n".join((header(problem), trampoline(problem), variant.code))
        key = self._key(candidate.source, flags, included)
        folder = self._cache / "objects" / key[:2] / key
        if (stored := self._stored(folder)) is not None:
            return stored
        with tempfile.TemporaryDirectory(prefix="kernelmill-build-") as name:
            work = Path(name)
            (work / SOURCE_NAME).write_text(candidate.source, encoding="utf-8")
            (work / "problem.h").write_text(included, encoding="utf-8")
            done = self._compile(work, flags, variant)
            return self._store(folder, work, done, problem)

    def _compile(self, work: Path, flags: tuple[str, ...], variant: Variant) -> Completed:
        prelude = self._prelude(flags, variant.uses)
        includes = ("-include", "/prelude/prelude.hpp", "-include", "/build/problem.h")
        argv = ("/bin/sh", "-c", SCRIPT, "build", *flags, "-fno-diagnostics-color", *includes)
        env = {"CXX": self._compiler, "LINK": " ".join((*LINK_FLAGS, *variant.link)), "LC_ALL": "C"}
        mounts = (Mount(work, "/build", writable=True), Mount(prelude, "/prelude"))
        return self._sandbox.run(Command(argv, mounts, env, limits=LIMITS))

    def _prelude(self, flags: tuple[str, ...], worth: int) -> Path:
        """Folder with the prelude, precompiled from so many uses of these flags on."""
        relevant = tuple(f for f in flags if not f.startswith("-D"))
        digest = hashlib.sha256(repr((relevant, self._version, PRELUDE)).encode()).hexdigest()[:16]
        compiled = self._cache / "preludes" / digest
        plain = self._cache / "preludes" / "plain"
        with self._prelude_lock:
            self._prelude_uses[relevant] += 1
            if (compiled / "prelude.hpp.gch").exists():
                return compiled
            if not (plain / "prelude.hpp").exists():
                plain.mkdir(parents=True, exist_ok=True)
                write_atomically(plain / "prelude.hpp", PRELUDE.encode())
            if self._prelude_uses[relevant] < worth:
                return plain
            return compiled if self._precompile(compiled, relevant) else plain

    def _precompile(self, folder: Path, flags: tuple[str, ...]) -> bool:
        with tempfile.TemporaryDirectory(prefix="kernelmill-prelude-") as name:
            work = Path(name)
            (work / "prelude.hpp").write_text(PRELUDE)
            script = 'cd /prelude && exec "$CXX" "$@" -x c++-header prelude.hpp -o prelude.hpp.gch'
            command = Command(
                ("/bin/sh", "-c", script, "prelude", *flags),
                (Mount(work, "/prelude", writable=True),),
                {"CXX": self._compiler},
                limits=LIMITS,
            )
            if not self._sandbox.run(command).exit.ok:
                return False
            folder.mkdir(parents=True, exist_ok=True)
            for part in ("prelude.hpp", "prelude.hpp.gch"):
                write_atomically(folder / part, (work / part).read_bytes())
        return True

    def _key(self, source: str, flags: tuple[str, ...], included: str) -> str:
        parts = [CACHE_LAYOUT, self._version, *flags, PRELUDE, included, source]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _stored(self, folder: Path) -> Build | None:
        try:
            facts = json.loads((folder / "build.json").read_text())
        except (OSError, ValueError):
            return None
        path = folder / "kernel.so"
        if facts["failure"] is None and not path.exists():
            return None
        return Build(path if facts["failure"] is None else None, **facts)

    def _store(self, folder: Path, work: Path, done: Completed, problem: Problem) -> Build:
        log = _trim(done.output)
        built = read_output(work / "kernel.so", MAX_OBJECT_BYTES)
        failure = _failure(done, log, built, problem)
        if failure is not None or built is None:
            build = Build(
                None, log, failure=failure, timed_out=done.timed_out, seconds=done.seconds,
                lacks_kernel=_lacks_kernel(log),
            )  # fmt: skip
            if done.timed_out or done.exit.out_of_memory:
                return build  # may be this machine's load: try again another day
        else:
            listing = read_output(work / "kernel.asm", MAX_LISTING_BYTES) or b""
            build = Build(
                folder / "kernel.so", log, artefact.object_hash(built),
                artefact.profile(listing.decode(errors="replace")), done.seconds,
            )  # fmt: skip
        facts = {"log": build.log, "object_hash": build.object_hash, "failure": build.failure,
                 "profile": dict(build.profile), "lacks_kernel": build.lacks_kernel}  # fmt: skip
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if built is not None:
                write_atomically(folder / "kernel.so", built)
            if (notes := read_output(work / NOTES, MAX_LISTING_BYTES)) is not None:
                write_atomically(folder / NOTES, notes)
            write_atomically(folder / "build.json", json.dumps(facts).encode())
        except OSError as error:
            raise InfrastructureError(
                f"cannot write the build cache {self._cache}: {error.strerror}; "
                "free some space or set KERNELMILL_CACHE"
            ) from error
        return build


def clear_cache(cache: Path) -> None:
    """Forget all builds."""
    shutil.rmtree(cache / "cpp", ignore_errors=True)


def _failure(done: Completed, log: str, built: bytes | None, problem: Problem) -> str | None:
    if done.timed_out:
        return f"the compiler did not finish within {LIMITS.wall_seconds:g} s"
    if done.exit.out_of_memory:
        return f"the compiler needed more than {LIMITS.memory_bytes >> 20} MiB"
    if done.exit.ok and built is not None:
        return None
    if _lacks_kernel(log):
        return f"no function `kernel` with C linkage; expected: {prototype(problem)}"
    first = next((line for line in log.splitlines() if _is_error(line)), "")
    return first.strip() or "the compiler failed without a message"


def _lacks_kernel(log: str) -> bool:
    return "undefined reference to `kernel'" in log or "undefined reference to 'kernel'" in log


def _trim(output: str) -> str:
    lines = [line for line in output.splitlines() if "In file included from" not in line]
    errors = [i for i, line in enumerate(lines) if _is_error(line)]
    start = max(0, errors[0] - 1) if errors else 0
    kept = lines[start : start + LOG_LINES]
    dropped = len(lines) - len(kept)
    return "\n".join([*kept, f"[{dropped} lines more]"] if dropped > 0 else kept)


def _is_error(line: str) -> bool:
    """A diagnostic of the compiler, the assembler ("Error:") or the linker."""
    return "error:" in line.lower() or "undefined reference" in line

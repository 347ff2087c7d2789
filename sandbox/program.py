"""Building the runner: a small trusted C++ program, compiled once per machine and cached."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from sandbox.provider import SandboxError

SOURCE = Path(__file__).parent / "runner" / "runner.cpp"
FLAGS = ("-std=c++17", "-O2")


def runner_program(compiler: str, cache: Path) -> Path:
    """Path of the compiled runner.

    Raises:
        SandboxError: It does not compile.
    """
    digest = hashlib.sha256(SOURCE.read_bytes() + compiler.encode()).hexdigest()[:16]
    program = cache / f"runner-{digest}"
    if program.exists():
        return program
    cache.mkdir(parents=True, exist_ok=True)
    partial = cache / f".runner-{digest}-{os.getpid()}"
    done = subprocess.run(
        [compiler, *FLAGS, str(SOURCE), "-o", str(partial), "-ldl"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SandboxError(f"the runner does not compile: {done.stderr.strip()[:300]}")
    partial.rename(program)
    return program

"""Targets: one kind of hardware and toolchain. Results never mix across targets."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from evaluator.errors import ToolchainError
from sandbox.program import find_compiler

INSTALL_HINT = "install it with `apt-get install g++`, or name one in KERNELMILL_CXX"


@dataclass(frozen=True)
class Target:
    """Hardware and toolchain that figures belong to.

    Attributes:
        name: e.g. `cpu-x86_64-avx512-amx-2c-1f3a9c`; the last part is the fingerprint's start.
        facts: Everything the fingerprint is made of, JSON-able.
    """

    name: str
    facts: Mapping[str, object]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the facts."""
        return _digest(self.facts)


def compiler() -> str:
    """Path of the C++ compiler: `KERNELMILL_CXX`, else g++.

    Raises:
        ToolchainError: There is none.
    """
    if found := find_compiler():
        return found
    raise ToolchainError(f"no C++ compiler: {INSTALL_HINT}")


def compiler_version(path: str) -> str:
    """First line of `--version`."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]


def local_cpu() -> Target:
    """The CPU of this machine with its compiler.

    Raises:
        ToolchainError: No compiler.
    """
    info = _cpuinfo()
    cores = len(os.sched_getaffinity(0))
    extensions = isa()
    facts: dict[str, object] = {
        "machine": platform.machine(),
        "cpu": info.get("model name", "unknown"),
        "family": f"{info.get('cpu family')}/{info.get('model')}/{info.get('stepping')}",
        "isa": extensions,
        "cores": cores,
        "caches": caches(),
        "compiler": compiler_version(compiler()),
        "libc": " ".join(platform.libc_ver()),
    }
    widest = next((label for label in ("avx512", "avx2", "sse4") if label in extensions), "")
    parts = ["cpu", platform.machine(), widest, "amx" if "amx" in extensions else "", f"{cores}c"]
    name = "-".join(filter(None, [*parts, _digest(facts)[:6]]))
    return Target(name, facts)


ISA_LABELS = (
    ("sse4", "sse4_2"),
    ("avx2", "avx2"),
    ("fma", "fma"),
    ("avx512", "avx512f"),
    ("avx512vl", "avx512vl"),
    ("avx512-bf16", "avx512_bf16"),
    ("avx512-fp16", "avx512_fp16"),
    ("avx512-vnni", "avx512_vnni"),
    ("amx", "amx_tile"),
)


def isa() -> list[str]:
    """The vector extensions of this CPU that kernels can use, by their labels here."""
    info = _cpuinfo()
    flags = set(info.get("flags", info.get("Features", "")).split())
    return [label for label, flag in ISA_LABELS if flag in flags]


def caches() -> dict[str, int]:
    """Bytes of each data or unified cache level as seen by CPU 0."""
    found: dict[str, int] = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        if (index / "type").read_text().strip() == "Instruction":
            continue
        size = (index / "size").read_text().strip()
        scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(size[-1], 1)
        level = (index / "level").read_text().strip()
        found[f"L{level}"] = int(re.sub(r"\D", "", size)) * scale
    return found


def _cpuinfo() -> dict[str, str]:
    first = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _digest(facts: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

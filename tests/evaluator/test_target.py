"""The target of this machine, and what it is made of."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from evaluator.errors import ToolchainError
from evaluator.target import Target, caches, compiler, compiler_version, isa, local_cpu


def test_this_machine() -> None:
    target = local_cpu()
    assert target == local_cpu(), "the same machine is the same target"
    assert target.name.startswith(f"cpu-{os.uname().machine}-")
    assert target.name.endswith(target.fingerprint[:6])
    assert f"-{len(os.sched_getaffinity(0))}c-" in target.name
    assert target.facts["isa"] == isa()
    assert ("amx" in isa()) == ("-amx-" in target.name)


def test_fewer_cores_are_another_target() -> None:
    whole, cores = local_cpu(), os.sched_getaffinity(0)
    if len(cores) < 2:
        pytest.skip("needs two cores")
    os.sched_setaffinity(0, {min(cores)})
    try:
        assert local_cpu().name != whole.name
        assert "-1c-" in local_cpu().name
    finally:
        os.sched_setaffinity(0, cores)


def test_the_fingerprint_depends_on_facts_and_not_on_their_order() -> None:
    a = Target("t", {"cpu": "x", "cores": 2})
    assert a.fingerprint == Target("t", {"cores": 2, "cpu": "x"}).fingerprint
    assert a.fingerprint != Target("t", {"cores": 3, "cpu": "x"}).fingerprint


def test_another_compiler_is_another_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = local_cpu()
    other = tmp_path / "g++-99"
    other.write_text("#!/bin/sh\necho 'g++ (Test) 99.1'\n")
    other.chmod(0o755)
    monkeypatch.setenv("KERNELMILL_CXX", str(other))
    assert compiler() == str(other)
    assert compiler_version(compiler()) == "g++ (Test) 99.1"
    assert local_cpu().name != before.name


def test_a_variable_that_names_nothing_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNELMILL_CXX", "/nonexistent/g++")
    assert compiler() == shutil.which("g++")


def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERNELMILL_CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="apt-get install g\\+\\+"):
        compiler()


def test_caches_grow_with_their_level() -> None:
    sizes = list(caches().values())
    assert sizes == sorted(sizes)
    assert all(size >= 1024 for size in sizes)

"""Every provider that works here, with control groups and without."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import cgroup
from sandbox.provider import Sandbox
from sandbox.select import PROVIDERS

_serial = itertools.count()
WAYS = [f"{name}-{bounds}" for name in PROVIDERS for bounds in ("groups", "signals")]
Compile = Callable[..., Path]


@pytest.fixture
def no_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without a writable control group hierarchy."""
    monkeypatch.setattr(cgroup, "ROOT", tmp_path / "no-cgroups")
    cgroup.hierarchy.cache_clear()
    yield
    cgroup.hierarchy.cache_clear()


@pytest.fixture(params=WAYS)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A provider that works here."""
    name, bounds = request.param.rsplit("-", 1)
    if bounds == "signals":
        request.getfixturevalue("no_groups")
    elif cgroup.hierarchy() is None:
        pytest.skip("no writable control groups here")
    provider = PROVIDERS[name]()
    probe = provider.probe()
    if not probe.available:
        pytest.skip(probe.detail)
    return provider


@pytest.fixture
def grouped(sandbox: Sandbox) -> Sandbox:
    """The same, where a control group bounds the whole tree."""
    if cgroup.hierarchy() is None:
        pytest.skip("only a control group bounds the tree as a whole")
    return sandbox


@pytest.fixture
def marker() -> str:
    """A number of seconds that marks the processes of one test: `sleep {marker}`."""
    return f"{90000 + next(_serial)}.{os.getpid()}"


@pytest.fixture(scope="session")
def compile_cpp(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compiles C++ text: `compile_cpp(text, "-shared", ...) -> Path`."""
    folder = tmp_path_factory.mktemp("compiled")

    def compile_text(text: str, *flags: str) -> Path:
        stem = folder / f"unit{next(_serial)}"
        source = stem.with_suffix(".cpp")
        source.write_text(text)
        built = stem.with_suffix(".so" if "-shared" in flags else "")
        options = ["-std=c++17", "-O1", "-fPIC", "-pthread", *flags]
        subprocess.run(["g++", *options, str(source), "-o", str(built)], check=True)
        return built

    return compile_text

"""The device lease between real processes."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evaluator.lease import DeviceLease

ROOT = Path(__file__).parents[2]
HOLDER = """\
import sys, time
from pathlib import Path
from evaluator.lease import DeviceLease
with getattr(DeviceLease("test", Path(sys.argv[1])), sys.argv[2])():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(folder: Path, mode: str) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the lease."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), mode],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def is_free(folder: Path, mode: int) -> bool:
    """Whether the lease could be taken in this mode right now."""
    descriptor = os.open(folder / "kernelmill-test.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def test_timing_excludes_everything(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path, "exclusive"):
        assert not is_free(tmp_path, fcntl.LOCK_SH)
        assert not is_free(tmp_path, fcntl.LOCK_EX)


def test_builds_exclude_timing_but_not_each_other(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path, "shared"), held_elsewhere(tmp_path, "shared"):
        assert is_free(tmp_path, fcntl.LOCK_SH)
        assert not is_free(tmp_path, fcntl.LOCK_EX)


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_a_killed_holder_releases_it(tmp_path: Path, mode: str) -> None:
    with held_elsewhere(tmp_path, mode) as holder:
        holder.kill()
        holder.wait()
        with DeviceLease("test", tmp_path).exclusive():
            pass


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_it_is_released_at_the_end_and_after_an_error(tmp_path: Path, mode: str) -> None:
    lease = DeviceLease("test", tmp_path)

    def fail() -> None:
        with getattr(lease, mode)():
            assert not is_free(tmp_path, fcntl.LOCK_EX)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert is_free(tmp_path, fcntl.LOCK_EX)


def test_threads_take_turns(tmp_path: Path) -> None:
    lease = DeviceLease("test", tmp_path)
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            with lease.exclusive():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_devices_do_not_disturb_each_other(tmp_path: Path) -> None:
    with DeviceLease("cuda0", tmp_path).exclusive(), DeviceLease("test", tmp_path).exclusive():
        assert (tmp_path / "kernelmill-cuda0.lock").exists()


def test_what_runs_under_it_does_not_inherit_it(tmp_path: Path) -> None:
    child = None
    try:
        with DeviceLease("test", tmp_path).exclusive():
            child = subprocess.Popen(["sleep", "100"], close_fds=False)
        assert is_free(tmp_path, fcntl.LOCK_EX)
    finally:
        assert child is not None
        child.kill()
        child.wait()

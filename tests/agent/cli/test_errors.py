"""Whatever a command raises ends as one line and the right exit code."""

from __future__ import annotations

import errno
import sqlite3

import pytest
import typer

from agent.cli.errors import DEBUG_VARIABLE, command
from evaluator.errors import InfrastructureError, ProblemError
from sandbox.provider import SandboxError, SandboxUnavailableError

CASES = [
    (ProblemError("no such thing"), 2, "kernelmill: no such thing"),
    (InfrastructureError("the sandbox died"), 3, "kernelmill: the sandbox died"),
    (
        SandboxUnavailableError("no sandbox works here: get one"),
        2,
        "no sandbox works here: get one",
    ),
    (SandboxError("bwrap died"), 3, "kernelmill: the sandbox failed: bwrap died;"),
    (KeyboardInterrupt(), 130, "kernelmill: interrupted"),
    (OSError(errno.ENOSPC, "No space left on device"), 2, "the disk is full: free some space"),
    (sqlite3.OperationalError("database or disk is full"), 2, "the disk is full"),
    (sqlite3.OperationalError("database is locked"), 2, "locked by another process"),
    (sqlite3.DatabaseError("file is not a database"), 2, "the archive cannot be used"),
    (PermissionError(errno.EACCES, "Permission denied", "/x/y"), 2, "/x/y: Permission denied"),
    (ZeroDivisionError("division by zero"), 3, f"run it again with {DEBUG_VARIABLE}=1"),
    (AssertionError(), 3, "unexpected AssertionError;"),
]


def run_raising(error: BaseException) -> int:
    """The exit code of a command that raises `error`."""

    @command
    def failing() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        failing()
    return caught.value.exit_code


@pytest.mark.parametrize(("error", "code", "words"), CASES, ids=lambda v: type(v).__name__)
def test_one_line_and_a_code(
    error: BaseException,
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(DEBUG_VARIABLE, raising=False)
    assert run_raising(error) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("kernelmill: ")
    assert words in captured.err


def test_a_cause_below_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    error = RuntimeError("could not store")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert run_raising(error) == 2
    assert "the disk is full" in capsys.readouterr().err


def test_debug_shows_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DEBUG_VARIABLE, "1")
    assert run_raising(ProblemError("no such thing")) == 2
    captured = capsys.readouterr()
    assert "Traceback" in captured.err
    assert captured.err.rstrip().endswith("kernelmill: no such thing")


def test_a_message_of_many_lines_becomes_one(capsys: pytest.CaptureFixture[str]) -> None:
    run_raising(ProblemError("first\n  second"))
    assert capsys.readouterr().err == "kernelmill: first second\n"


@pytest.mark.parametrize("error", [typer.Exit(1), typer.BadParameter("x"), BrokenPipeError()])
def test_what_belongs_to_the_library_passes(error: Exception) -> None:
    @command
    def failing() -> None:
        raise error

    with pytest.raises(type(error)):
        failing()

"""The command as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli.app import COMMANDS
from agent.cli.lazy import Entry

ROOT = Path(__file__).parents[3]
PRESENT = [entry for entry in COMMANDS if entry.exists()]


def kernelmill(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as the console script does."""
    code = "import sys; sys.argv[0] = 'kernelmill'; from agent.cli.app import main; main()"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("KERNELMILL_")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**clean, **environment},
        check=False,
    )


def test_help_lists_every_command() -> None:
    done = kernelmill("--help")
    assert done.returncode == 0
    for entry in PRESENT:
        assert f"  {entry.name}  " in done.stdout
        assert entry.summary in " ".join(done.stdout.split())


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from agent.cli.app import app;"
        "CliRunner().invoke(app, ['--help']);"
        "print([m for m in ('torch', 'sqlalchemy', 'numpy', 'tree_sitter', 'rich', 'pydantic')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("entry", PRESENT, ids=lambda entry: entry.name)
def test_the_summary_of_a_lazy_command_is_that_of_the_real_one(entry: Entry) -> None:
    first = (entry.load().help or "").strip().split("\n\n")[0]
    assert " ".join(first.split()) == entry.summary


@pytest.mark.parametrize("entry", PRESENT, ids=lambda entry: entry.name)
def test_every_command_has_help_of_its_own(entry: Entry) -> None:
    done = kernelmill(entry.name, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: kernelmill {entry.name}")


def test_version() -> None:
    done = kernelmill("--version")
    pyproject = (ROOT / "pyproject.toml").read_text()
    assert done.returncode == 0
    assert f'version = "{done.stdout.split()[1]}"' in pyproject


def test_a_mistyped_command_offers_the_nearest() -> None:
    done = kernelmill("problens")
    assert done.returncode == 2
    assert "Did you mean 'problems'?" in done.stderr


def test_without_arguments_help_is_shown() -> None:
    done = kernelmill()
    assert "Usage: kernelmill" in done.stdout + done.stderr


def test_a_closed_pipe_is_silent() -> None:
    code = "from agent.cli.app import main; import sys; sys.argv = ['kernelmill', '-h']; main()"
    shell = f'"{sys.executable}" -c "{code}" | true'
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, cwd=ROOT)
    assert "Traceback" not in done.stderr


def test_an_option_without_a_variable_of_its_own_has_one_named_after_its_command() -> None:
    name = "KERNELMILL_ARCHIVE_LS_LIMIT"
    assert f"`{name}`" in (ROOT / "docs" / "commands.md").read_text()
    done = kernelmill("archive", "ls", **{name: "many"})
    assert done.returncode == 2
    assert "'--limit'" in done.stderr

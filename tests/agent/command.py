"""The command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = "import sys; sys.argv[0] = 'kernelmill'; from agent.cli.app import main; main()"
HURRY = "from tests.agent.hurry import hurry; hurry(setattr); "


def start(cache: Path, *arguments: str, hurried: bool = False) -> subprocess.Popen[str]:
    """Start `kernelmill` with these arguments; its settings come from nowhere else.

    Args:
        cache: For builds and calibrations.
        arguments: Of the command line.
        hurried: It runs a campaign whose figures do not matter.
    """
    clean = {k: v for k, v in os.environ.items() if not k.startswith("KERNELMILL_")}
    return subprocess.Popen(
        [sys.executable, "-c", HURRY + CODE if hurried else CODE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**clean, "KERNELMILL_CACHE": str(cache), "OMP_WAIT_POLICY": "PASSIVE"},
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    out, err = process.communicate()
    return process.returncode, out, err


def alive(pid: int) -> bool:
    """A process is there, and not only until somebody asks for its status."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"

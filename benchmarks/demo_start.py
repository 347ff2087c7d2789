"""From `make demo` on a fresh clone to its first result, and to its end.

    python -m benchmarks.demo_start

Clones this checkout's HEAD into a temporary folder with an empty cache of its own and reads the
clock at each line that `make demo` prints: set-up done, first verdict, first confirmed improvement,
end.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import quiet

MARKS = (
    ("set-up done", r"^campaign \d+"),
    ("first verdict", r"^ *0/|^ *0 "),
    ("first confirmed improvement", r"IMPROVED"),
)


def main() -> None:
    """Run and store the result."""
    root = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "clone", "-q", str(root), str(folder / "clone")], check=True)
        seconds, tail, code = _demo(folder)
    rows: list[list[object]] = [["event", "seconds since make demo"]]
    rows += [[event, f"{at:.1f}"] for event, at in seconds.items()]
    facts = {"seconds": seconds, "exit_code": code, "last_lines": tail}
    quiet.write("demo_start", facts, rows)


def _demo(folder: Path) -> tuple[dict[str, float], list[str], int]:
    environment = {
        **os.environ,
        "KERNELMILL_CACHE": str(folder / "cache"),
        "KERNELMILL_ARCHIVE": str(folder / "archive.db"),
        "PYTHONUNBUFFERED": "1",
    }
    started = time.monotonic()
    process = subprocess.Popen(
        ["make", "demo"], cwd=folder / "clone", env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    seconds: dict[str, float] = {}
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip())
        for event, pattern in MARKS:
            if event not in seconds and re.search(pattern, line):
                seconds[event] = time.monotonic() - started
    code = process.wait()
    seconds["end"] = time.monotonic() - started
    return seconds, lines[-30:], code


if __name__ == "__main__":
    main()

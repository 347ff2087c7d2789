"""Every problem with the embedded proposer: `kernelmill bench suite`, its result kept in the docs.

    python -m benchmarks.suite [arguments of `kernelmill bench suite`]

A folder given by `--out` keeps what is there already, so that a run that was stopped goes on. What
an archive has (`--from-archive`) is kept beside it, as `suite_archive`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import quiet

PICTURED = (".md", ".svg")


def main() -> None:
    """Run and store the result."""
    given = sys.argv[1:]
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(given[given.index("--out") + 1] if "--out" in given else temporary)
        command = [str(Path(sys.executable).parent / "kernelmill"), "bench", "suite", *given]
        where = [] if "--out" in given else ["--out", str(out)]
        code = subprocess.run([*command, *where], check=False).returncode
        if not (out / "suite.json").exists():
            raise SystemExit(code)
        found = json.loads((out / "suite.json").read_text())
        document = {"benchmark": "suite", "machine": quiet.machine(), **found}
        name = "suite_archive" if "--from-archive" in given else "suite"
        path = quiet.RESULTS / f"{name}{quiet.JSON_SUFFIX}"
        path.write_text(json.dumps(document, indent=1) + "\n")
        for suffix in PICTURED:
            if (out / f"suite{suffix}").exists():
                shutil.copyfile(out / f"suite{suffix}", quiet.RESULTS / f"{name}{suffix}")


if __name__ == "__main__":
    main()

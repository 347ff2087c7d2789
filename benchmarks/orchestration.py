"""What the search costs beside evaluation: an instant model, a trivial evaluation, three programs.

    python -m benchmarks.orchestration [--candidates 10000] [--rivals 1000] [--slow-rivals 150]

Kernelmill, OpenEvolve and ShinkaEvolve ask the same local model, which answers at once with another
program every time, and evaluate trivially. CPU time of each whole process tree is read from the
kernel while it works, so a program's growth with its population shows. The other two are installed
into an environment of their own; what cannot be installed is left out, and said. Kernelmill's
process holds PyTorch, which judges need and searches do not; what that alone takes is told.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import quiet

HERE = Path(__file__).parent / "rivals"
PACKAGES = {"OpenEvolve": "openevolve==0.4.0", "ShinkaEvolve": "shinka-evolve==0.0.7"}
LOOK_SECONDS = 0.1
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
LONGEST = 900.0
BANDS = ((0.01, 0.1), (0.9, 1.0))
"""Beginning and end of a run, as shares of its candidates."""


@dataclass(frozen=True)
class Sample:
    """A process tree at one moment: questions asked, CPU and wall seconds, resident bytes."""

    asked: int
    cpu: float
    wall: float
    resident: int


def main() -> None:
    """Run and store the result."""
    options = _arguments()
    work = {"Kernelmill": options.candidates, "OpenEvolve": options.rivals,
            "ShinkaEvolve": options.slow_rivals}  # fmt: skip
    rows: list[list[object]] = [["program", "candidates", "CPU ms each, first tenth",
                                 "CPU ms each, last tenth", "candidates a second",
                                 "memory, MB", "of it PyTorch, MB"]]  # fmt: skip
    facts: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        python = _environment(Path(name))
        for program, candidates in work.items():
            if candidates == 0:
                continue
            argv = _argv(program, python)
            if argv is None:
                print(f"{program}: cannot be installed here", file=sys.stderr)
                continue
            folder = Path(name) / program
            folder.mkdir()
            samples = _watched(argv, program == "Kernelmill", candidates, folder)
            facts[program] = [sample.__dict__ for sample in _thinned(samples)]
            torch = _torch_megabytes() if program == "Kernelmill" else 0
            rows.append([program, samples[-1].asked, *_figures(samples, candidates), torch])
    quiet.write("orchestration", {"samples": facts}, rows)


def _argv(program: str, python: Path | None) -> list[str] | None:
    if program == "Kernelmill":
        return [sys.executable, "-m", "benchmarks.rivals.kernelmill_run"]
    if python is None:
        return None
    script = {"OpenEvolve": "openevolve_run.py", "ShinkaEvolve": "shinka_run.py"}[program]
    return [str(python), str(HERE / script)]


def _environment(folder: Path) -> Path | None:
    """Python of an environment with the other programs."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", *PACKAGES.values()], capture_output=True, check=False
    )
    return python if done.returncode == 0 else None


def _watched(argv: Sequence[str], native: bool, candidates: int, folder: Path) -> list[Sample]:
    """Run a program against its own model; samples from its beginning to its end."""
    with _model(_program(folder, native)) as port:
        url = f"http://127.0.0.1:{port}/v1"
        environment = {**os.environ, "OPENAI_API_KEY": "none", "LOCAL_OPENAI_API_KEY": "none"}
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [*argv, url, str(candidates), str(folder)],
                stdout=log, stderr=log, env=environment, cwd=HERE.parent.parent,
            )  # fmt: skip
            samples, started = [], time.monotonic()
            while process.poll() is None and time.monotonic() - started < LONGEST:
                samples.append(_sample(process.pid, url, started))
                time.sleep(LOOK_SECONDS)
            process.kill()
            process.wait()
    if len(samples) < 2 or samples[-1].asked < candidates // 2:
        tail = (folder / "log").read_text()[-500:]
        raise SystemExit(f"{argv[-1]} did not do its work: {tail}")
    return samples


def _program(folder: Path, native: bool) -> Path:
    if not native:
        return HERE / "program.py"
    from evaluator import catalogue

    path = folder / "seed.cpp"
    path.write_text(catalogue.seed_source(catalogue.load("softmax"), "cpp"))
    return path


@contextlib.contextmanager
def _model(program: Path) -> Iterator[int]:
    """The port of a model that varies a program; its CPU time is nobody's."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.rivals.instant_model", str(program)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE.parent.parent, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def _sample(root: int, url: str, started: float) -> Sample:
    with urllib.request.urlopen(f"{url}/count") as answer:
        asked = int(json.load(answer)["asked"])
    cpu, resident = _usage(root)
    return Sample(asked, cpu, time.monotonic() - started, resident)


def _usage(root: int) -> tuple[float, int]:
    """CPU seconds of a process tree, ended children included, and its resident bytes."""
    ticks, pages, queue = 0, 0, [root]
    while queue:
        pid = queue.pop()
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
            pages += int(fields[21])
            for task in Path(f"/proc/{pid}/task").iterdir():
                queue += map(int, (task / "children").read_text().split())
    return ticks / TICKS, pages * PAGE


def _figures(samples: Sequence[Sample], candidates: int) -> list[object]:
    first, last = (_per_candidate(samples, a * candidates, b * candidates) for a, b in BANDS)
    done = next(s for s in samples if s.asked == samples[-1].asked)
    begun = next(s for s in samples if s.asked > 0)
    rate = (done.asked - begun.asked) / max(done.wall - begun.wall, 1e-9)
    memory = max(s.resident for s in samples) / 1e6
    return [f"{first:.1f}", f"{last:.1f}", f"{rate:.1f}", f"{memory:.0f}"]


def _torch_megabytes() -> int:
    """What importing PyTorch adds to a process."""
    program = (
        "size = lambda: int(open('/proc/self/statm').read().split()[1])\n"
        "before = size()\nimport torch\nprint(size() - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return round(int(done.stdout) * PAGE / 1e6)


def _per_candidate(samples: Sequence[Sample], low: float, high: float) -> float:
    """CPU milliseconds per candidate between two numbers of candidates."""
    begin = max((s for s in samples if s.asked <= low), key=lambda s: s.asked, default=samples[0])
    until = min((s for s in samples if s.asked >= high), key=lambda s: s.asked, default=samples[-1])
    return 1e3 * (until.cpu - begin.cpu) / max(1, until.asked - begin.asked)


def _thinned(samples: Sequence[Sample], most: int = 100) -> Sequence[Sample]:
    return samples[:: max(1, len(samples) // most)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--rivals", type=int, default=1000)
    parser.add_argument("--slow-rivals", type=int, default=150)
    return parser.parse_args()


if __name__ == "__main__":
    main()

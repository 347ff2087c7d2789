"""Running a suite: one process per problem, so that no problem can stop the others.

What a problem gave is on disk before the next begins. The same command again does what is left: a
problem with a result is not run again, and a campaign that was cut off is resumed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agent.suite.measured import FORM, Measured, failed, from_document
from db.archive import Archive
from db.records import CampaignStatus
from evaluator import catalogue
from evaluator.errors import ConfigError, KernelmillError

PROGRAM = (
    "import ctypes, sys; ctypes.CDLL(None).prctl(1, 9); sys.argv[0] = 'kernelmill'; "
    "from agent.cli.app import main; main()"
)
"""Killed with us (PR_SET_PDEATHSIG, SIGKILL): a campaign that went on would be in the way of the
suite's next run, which resumes it."""
QUICK = ("bias_gelu", "cumsum", "gemm", "gemv", "layernorm", "rmsnorm_residual", "softmax",
         "swiglu")  # fmt: skip
QUICK_EVALUATIONS = 12
DUE = "again.json"
ANSWERED = (0, 1)
"""Exit codes that come with a result."""


@dataclass(frozen=True)
class Settings:
    """What every problem of a suite gets; results of other settings do not count.

    Attributes:
        evaluations: Per problem.
        minutes: Per problem, at most; None for no limit.
        random_seed: Of the search.
        from_archive: Measure the best known kernel of the archive instead of searching.
    """

    evaluations: int
    minutes: float | None = None
    random_seed: int = 0
    from_archive: bool = False


@dataclass(frozen=True)
class Suite:
    """A suite and where it is kept.

    Attributes:
        folder: Results, and the campaigns' archive.
        archive: Archive of the campaigns; the one to take kernels from with `from_archive`.
        problems: Names and folders, in order.
        settings: The budget.
        again: Measure the kernels of earlier results once more.
    """

    folder: Path
    archive: str
    problems: tuple[str, ...]
    settings: Settings
    again: bool = False

    def run(self) -> Iterator[tuple[Measured, bool]]:
        """Every problem with its result, and whether it was there already.

        Raises:
            KeyboardInterrupt: Stopped; what was found until then is kept.
        """
        (self.folder / "runs").mkdir(parents=True, exist_ok=True)
        due = self._due() if self.again else set()
        for problem in self.problems:
            known = self._known(problem)
            if known is not None and problem not in due:
                yield known, True
                continue
            found = self._measure(problem) if known is None else self._once_more(problem, known)
            if known is None or found.state != "failed":  # no result is lost to a failure
                self._keep(problem, found)
                if problem in due:
                    due.remove(problem)
                    self._leave(due)
            yield found, False

    def _due(self) -> set[str]:
        """What is to be measured once more: all, or what the last time did not come to."""
        try:
            return set(json.loads((self.folder / DUE).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return set(self.problems)

    def _leave(self, due: set[str]) -> None:
        if due:
            (self.folder / DUE).write_text(json.dumps(sorted(due)), encoding="utf-8")
        else:
            (self.folder / DUE).unlink(missing_ok=True)

    def _once_more(self, problem: str, known: Measured) -> Measured:
        """The same kernel with new figures; what finding it took stays."""
        if known.state != "faster" or known.kernel is None:
            return known
        kernel = ["--kernel", known.kernel, "--archive", self.archive, "--json"]
        found = self._answer(problem, ["bench", "best", problem, *kernel])
        if found.state != "faster":
            return failed(problem, f"cannot be measured again: {found.reason}", found.seconds)
        return replace(
            found, evaluations=known.evaluations, seconds=known.seconds, origin=known.origin,
            reason=known.reason,
        )  # fmt: skip

    def _measure(self, problem: str) -> Measured:
        try:
            arguments = self._arguments(problem)
        except KernelmillError as error:
            return failed(problem, str(error))
        return self._answer(problem, arguments)

    def _answer(self, problem: str, arguments: Sequence[str]) -> Measured:
        """What our own command says, in a process of its own."""
        started = time.perf_counter()
        done = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            out, err = done.communicate()
        except KeyboardInterrupt:
            done.communicate()  # it got the signal too, and ends when its archive is whole
            raise
        seconds = time.perf_counter() - started
        if done.returncode not in ANSWERED:
            lines = [line for line in err.strip().splitlines() if line.strip()]
            reason = lines[-1] if lines else f"ended with exit code {done.returncode}"
            return failed(problem, reason.removeprefix("kernelmill: "), seconds)
        return self._read(problem, out, seconds)

    def _read(self, problem: str, out: str, seconds: float) -> Measured:
        try:
            document: dict[str, Any] = json.loads(out)
            if document["status"] == CampaignStatus.INTERRUPTED:
                raise KeyboardInterrupt
            origin = "archive" if self.settings.from_archive else f"campaign {document['campaign']}"
            return from_document(problem, document, origin)
        except (ValueError, KeyError, TypeError) as error:
            return failed(problem, f"its result cannot be read: {error!r}", seconds)

    def _arguments(self, problem: str) -> list[str]:
        """The command line that measures a problem."""
        where = ["--archive", self.archive, "--json"]
        if self.settings.from_archive:
            return ["bench", "best", problem, *where]
        budget = ["--evaluations", str(self.settings.evaluations)]
        if self.settings.minutes is not None:
            budget += ["--minutes", str(self.settings.minutes)]
        if (cut := self._cut_off(problem)) is not None:
            return ["resume", str(cut), *budget, *where]
        seed = ["--seed", str(self.settings.random_seed)]
        return ["optimize", problem, *budget, *seed, *where]

    def _cut_off(self, problem: str) -> int | None:
        """A campaign for this problem that was begun and not ended."""
        if not Path(self.archive).is_file():
            return None
        builtin = problem in catalogue.builtin_names()
        given = problem if builtin else str(Path(problem).resolve())
        with Archive.open(self.archive, create=False) as opened:
            for row in opened.campaigns():
                if opened.load_campaign(row.id).record.config.get("problem") == given:
                    return row.id if row.status != CampaignStatus.FINISHED else None
        return None

    def _known(self, problem: str) -> Measured | None:
        try:
            stored = json.loads(self._path(problem).read_text(encoding="utf-8"))
            if stored["settings"] != asdict(self.settings):
                return None
            found: Measured = FORM.validate_python(stored["found"])
        except (OSError, ValueError, KeyError):
            return None
        return None if found.state == "failed" or found.problem != problem else found

    def _keep(self, problem: str, found: Measured) -> None:
        path = self._path(problem)
        partial = path.with_suffix(".partial")
        kept = {"settings": asdict(self.settings), "found": asdict(found)}
        partial.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        partial.rename(path)

    def _path(self, problem: str) -> Path:
        name = "".join(c if c.isalnum() or c in "_-." else "_" for c in problem.strip("./"))
        return self.folder / "runs" / f"{name}.json"


def chosen(given: Sequence[str], *, quick: bool) -> tuple[str, ...]:
    """The problems that are meant: names, problem folders, and folders of problem folders.

    Args:
        given: As typed; nothing means the catalogue.
        quick: A few of the catalogue, where nothing is given.

    Raises:
        ConfigError: A folder holds no problem.
    """
    if not given:
        return QUICK if quick else tuple(catalogue.builtin_names())
    found: list[str] = []
    known = catalogue.builtin_names()
    for name in given:
        folder = Path(name)
        if name in known or not folder.is_dir() or (folder / "problem.py").is_file():
            found.append(name)
            continue
        inside = sorted(str(script.parent) for script in folder.glob("*/problem.py"))
        inside += sorted(str(script) for script in folder.glob("*.py") if _has_model(script))
        if not inside:
            raise ConfigError(f"{name}: no problem.py in this folder nor in those below it, and no "
                              "file in KernelBench's form")  # fmt: skip
        found += inside
    return tuple(dict.fromkeys(found))


def _has_model(script: Path) -> bool:
    """It looks like a file in KernelBench's form; whether it is one shows when it is used."""
    return "class Model" in script.read_text(encoding="utf-8", errors="replace")

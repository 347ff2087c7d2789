"""Verification: a candidate's outputs against the references, smallest workload first.

All inputs come from the judge's pool, all outputs are poisoned before every window and read only
while the runner stands still. Check workloads run twice with input sets swapped between slots, so
that an answer remembered by pointer is a wrong one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from evaluator.arena import InputArena, Share
from evaluator.evaluation import Check, Evidence
from evaluator.inputs import bind
from evaluator.lane import Lane, OutputsCutError
from evaluator.numeric import Verdict, judge_output
from evaluator.outcome import Outcome
from evaluator.pool import InputPool, InputSet
from evaluator.problem import Law, Problem, Role, Workload, call_by_name
from sandbox.client import RunnerDiedError, RunnerRefusedError, RunnerTimeoutError, Window

CHECK_TIMEOUT = 10.0
LAW_LIMIT = 1.0
STRAY_SECONDS = 0.001
STRAYS_FORGIVEN, GROSS_STRAY = 2, 0.010
"""So many stray moments shorter than this a lane may have: on a busy machine the kernel charges a
thread some of what was used before it stood still."""
SITTINGS = 3
"""In which a suspicion must come every time. In an hour in which memory gave a quarter of what it
gives otherwise, a right kernel was suspected of hidden work twice in a row."""
CLOCKED = frozenset({"stray-cpu", "early-cpu", "overlap", "roofline"})
"""Rules that rest on clocks alone, which a busy machine can upset too."""
T = TypeVar("T")


@dataclass(frozen=True)
class Verified:
    """What verification found; `seconds` estimates one call of each time workload."""

    outcome: Outcome
    checks: tuple[Check, ...]
    evidence: tuple[Evidence, ...]
    seconds: dict[str, float]

    def demand(self, label: str) -> None:
        """Insist that it is right.

        Raises:
            Refused: It is not.
        """
        if self.outcome is not Outcome.OK:
            raise Refused(self.outcome, self.evidence[0], label)


class Refused(Exception):
    """A lane broke a rule: ends its verification or timing with an outcome."""

    def __init__(self, outcome: Outcome, evidence: Evidence, label: str = "candidate") -> None:
        super().__init__(evidence.message)
        self.outcome = outcome
        self.evidence = evidence
        self.label = label

    @property
    def suspicion(self) -> bool:
        """It rests on clocks alone: it counts when it comes again in fresh runners."""
        return self.evidence.rule in CLOCKED


class Verifier:
    """Verifies candidates of one problem; keeps the arranged arena between them.

    Args:
        problem: What they compute.
        pool: Where inputs come from.
        arena: Where they are put.
        seed: Of orders.
        workloads: Which of the problem's to run; None for all.
        check_timeout: Seconds that the calls on one check workload may take; None: `CHECK_TIMEOUT`.
    """

    def __init__(
        self,
        problem: Problem,
        pool: InputPool,
        arena: InputArena,
        seed: int,
        workloads: Sequence[Workload] | None = None,
        check_timeout: float | None = None,
    ) -> None:
        self._problem = problem
        self._pool = pool
        self._arena = arena
        self._rng = random.Random(seed)
        chosen = problem.workloads if workloads is None else workloads
        self._order = sorted(chosen, key=lambda w: _footprint(problem, w))
        self._own_timeout = check_timeout

    @property
    def _check_timeout(self) -> float:
        return CHECK_TIMEOUT if self._own_timeout is None else self._own_timeout

    def verify(self, lane: Lane, time_limit: float) -> Verified:
        """Run every workload.

        Args:
            lane: The candidate, loaded.
            time_limit: Seconds one call on a time workload may take.
        """
        checks: list[Check] = []
        seconds: dict[str, float] = {}
        try:
            self._arrange()
            with watching(lane, "load"):
                lane.bind(self._arena)
            for group, workload in enumerate(self._order):
                with watching(lane, workload.name):
                    worst = self._workload(lane, group, workload, time_limit, seconds)
                checks.append(Check(workload.name, True, worst))
        except Refused as refusal:
            if refusal.evidence.workload is not None:
                error = refusal.evidence.details.get("max_error")
                worst_error = float(error) if isinstance(error, (int, float)) else None
                checks.append(Check(refusal.evidence.workload, False, worst_error))
            return Verified(refusal.outcome, tuple(checks), (refusal.evidence,), seconds)
        return Verified(Outcome.OK, tuple(checks), (), seconds)

    def verify_timed(self, lane: Lane, limit: float) -> None:
        """Judge a lane on the time workloads only.

        Raises:
            Refused: It is wrong, or failed.
        """
        for group, workload in self._timed(lane):
            sets = self._pool.sets(workload)
            for slot, chosen in enumerate(sets):
                self._arena.write(group, slot, chosen.inputs)
            with watching(lane, workload.name):
                self._run(lane, group, list(range(len(sets))), limit)
            judge_slots(self._problem, self._arena, lane, group, workload, sets)

    def time_calls(self, lane: Lane, limit: float) -> dict[str, float]:
        """Rough seconds per call of each time workload, outputs not looked at."""
        found = {}
        for group, workload in self._timed(lane):
            slots = list(range(len(self._pool.sets(workload))))
            with watching(lane, workload.name):
                self._run(lane, group, slots, limit)
                found[workload.name] = self._run(lane, group, slots, limit).seconds / len(slots)
        return found

    def _timed(self, lane: Lane) -> list[tuple[int, Workload]]:
        self._arrange()
        with watching(lane, "load"):
            lane.bind(self._arena)
        return [(g, w) for g, w in enumerate(self._order) if w.role is Role.TIME]

    def _arrange(self) -> None:
        if not self._arena.shares:
            shares = [Share(w, len(self._pool.sets(w))) for w in self._order]
            self._arena.arrange(shares)

    def _workload(
        self,
        lane: Lane,
        group: int,
        workload: Workload,
        time_limit: float,
        seconds: dict[str, float],
    ) -> float:
        sets = list(self._pool.sets(workload))
        self._rng.shuffle(sets)
        timed = workload.role is Role.TIME
        limit = self._check_timeout + (time_limit * len(sets) if timed else 0.0)
        worst = 0.0
        for swap in range(1 if timed else 2):
            turned = sets[swap:] + sets[:swap]
            for slot, chosen in enumerate(turned):
                self._arena.write(group, slot, chosen.inputs)
            window = self._run(lane, group, list(range(len(turned))), limit)
            worst = max(
                worst, judge_slots(self._problem, self._arena, lane, group, workload, turned)
            )
            if timed:
                seconds[workload.name] = window.seconds / len(turned)
        if not timed:
            for law in self._problem.laws:
                self._law(lane, group, workload, law, turned[0])
        return worst

    def _run(self, lane: Lane, group: int, slots: list[int], limit: float) -> Window:
        lane.outputs.poison(group, len(slots))
        self._rng.shuffle(slots)
        window = lane.window(group, slots, limit, settle=0.0)
        if strayed(lane, window):
            raise Refused(Outcome.TAMPERED, stray_evidence(window), lane.label)
        return window

    def _law(self, lane: Lane, group: int, workload: Workload, law: Law, chosen: InputSet) -> None:
        outputs = dict(lane.outputs.slots[group][0])
        if law.transform is not None:
            changed = call_by_name(law.transform, bind(self._problem, workload, chosen.inputs))
            self._arena.write(group, 0, chosen.inputs)
            self._arena.write(group, 1, {**chosen.inputs, **changed})
            self._run(lane, group, [0, 1], self._check_timeout)
            outputs = dict(lane.outputs.slots[group][0])
            outputs |= {f"{n}_t": t for n, t in lane.outputs.slots[group][1].items()}
        values = bind(self._problem, workload, {**chosen.inputs, **outputs})
        violation = float(call_by_name(law.violation, values))
        if not violation <= LAW_LIMIT:
            message = f"law broken: {law.name} (violation {violation:.3g} times the tolerance)"
            raise Refused(Outcome.INCORRECT, Evidence("law", message, workload.name))


def judge_slots(
    problem: Problem,
    arena: InputArena,
    lane: Lane,
    group: int,
    workload: Workload,
    sets: Sequence[InputSet],
) -> float:
    """Largest error over the first slots of a group after a window, in units of the limit.

    Raises:
        Refused: An output is wrong, an input was changed, or foreign bytes were written.
    """
    worst = 0.0
    for slot, chosen in enumerate(sets):
        if not arena.intact(group, slot, chosen.inputs):
            message = "the kernel changed its inputs"
            raise Refused(Outcome.TAMPERED, Evidence("inputs", message, workload.name))
        worst = max(worst, judge_slot(problem, workload, lane, group, slot, chosen))
    if (slot_hit := lane.outputs.overrun(group, len(sets))) is not None:
        message = f"bytes outside the outputs of slot {slot_hit} were written"
        raise Refused(Outcome.TAMPERED, Evidence("guard-bytes", message, workload.name))
    return worst


def judge_slot(
    problem: Problem, workload: Workload, lane: Lane, group: int, slot: int, chosen: InputSet
) -> float:
    """Largest error of a slot's outputs in units of the limit.

    Raises:
        Refused: An output is wrong; the evidence names the first wrong element.
    """
    worst = 0.0
    owed = chosen.expectation
    for tensor in problem.outputs:
        output = lane.outputs.slots[group][slot][tensor.name]
        verdict = judge_output(output, owed.expected[tensor.name], owed.limit[tensor.name])
        if not verdict.passed:
            raise Refused(Outcome.INCORRECT, _wrong(tensor.name, workload, verdict))
        worst = max(worst, verdict.max_error)
    return worst


class watching:
    """Context that turns a runner's end or silence into the candidate's outcome."""

    def __init__(self, lane: Lane, where: str) -> None:
        self._lane = lane
        self._workload = None if where == "load" else where
        self._where = "while loading" if where == "load" else f"on workload {where}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RunnerDiedError):
            raise Refused(*self._ended(error), self._lane.label) from error
        if isinstance(error, OutputsCutError):
            message = f"cut the shared output memory short {self._where}"
            evidence = Evidence("shared-memory", message, self._workload)
            raise Refused(Outcome.TAMPERED, evidence, self._lane.label) from error
        if isinstance(error, RunnerTimeoutError):
            message = f"no answer in time {self._where}"
            evidence = Evidence("time-limit", message, self._workload)
            raise Refused(Outcome.TIMED_OUT, evidence, self._lane.label) from error
        if isinstance(error, RunnerRefusedError):
            evidence = Evidence("load", f"cannot be loaded: {error}", None)
            raise Refused(Outcome.CRASHED, evidence, self._lane.label) from error

    def _ended(self, error: RunnerDiedError) -> tuple[Outcome, Evidence]:
        printed = error.output.strip()[-200:]
        tail = f"; it printed: {printed!r}" if printed else ""
        if error.exit.out_of_memory:
            message = f"exceeded its memory limit {self._where}"
            return Outcome.OUT_OF_MEMORY, Evidence("memory-limit", message, self._workload)
        if error.protocol:
            message = f"spoke on the judge's channel {self._where}: {error.protocol}"
            return Outcome.TAMPERED, Evidence("channel", message, self._workload)
        how = f"signal {error.exit.signal}" if error.exit.signal else f"exit({error.exit.code})"
        hint = " (out-of-bounds access?)" if error.exit.signal in (7, 11) else ""
        message = f"ended by {how} {self._where}{hint}{tail}"
        return Outcome.CRASHED, Evidence("crash", message, self._workload)


def patiently(sit: Callable[[], T], suspected: Callable[[Refused], None] | None = None) -> T:
    """Let somebody sit again, twice at most, where a sitting raised a mere suspicion.

    Args:
        sit: Judges in fresh runners; called again after a suspicion.
        suspected: Told of it in between.

    Raises:
        Refused: A rule was broken, or a suspicion came every time.
    """
    for _ in range(SITTINGS - 1):
        try:
            return sit()
        except Refused as refusal:
            if not refusal.suspicion:
                raise
            if suspected is not None:
                suspected(refusal)
    return sit()


def strayed(lane: Lane, window: Window) -> bool:
    """The lane used CPU time while it stood still, more or more often than clocks err."""
    if window.stray_seconds <= STRAY_SECONDS:
        return False
    lane.strays += 1
    return lane.strays > STRAYS_FORGIVEN or window.stray_seconds > GROSS_STRAY


def stray_evidence(window: Window) -> Evidence:
    """The runner used CPU time while it was stopped."""
    message = f"used {window.stray_seconds * 1e3:.1f} ms of CPU while it should stand still"
    return Evidence("stray-cpu", message)


def _wrong(output: str, workload: Workload, verdict: Verdict) -> Evidence:
    place = ",".join(map(str, verdict.index or ()))
    message = (
        f"{output}[{place}] is {verdict.got!r}, expected {verdict.expected!r}"
        + (f" within {verdict.limit:.3g}" if verdict.limit is not None else " exactly")
        + f"; {verdict.wrong} elements are wrong"
    )
    details = {
        "output": output, "index": place, "expected": verdict.expected, "got": verdict.got,
        "limit": verdict.limit, "wrong": verdict.wrong, "max_error": verdict.max_error,
    }  # fmt: skip
    return Evidence("numeric-policy", message, workload.name, details)


def _footprint(problem: Problem, workload: Workload) -> tuple[bool, int]:
    return workload.role is Role.TIME, problem.footprint(workload)

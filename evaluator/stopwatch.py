"""Timing on the judge's clock: interleaved rounds of watched windows over inputs never seen before.

A window of K calls over K different slots takes T; its time per call is (T - c) / K. The constant c
(thaw, hand-shake, freeze) is measured with a kernel of ours that does nothing, never with the
candidate, so nothing a candidate does can enlarge it. PyTorch variants, whose runner is a Python
program, have one of their own. Windows of n and of 2n calls alternate in a
confirmation: the slope between them cancels every constant and cross-checks the figure.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import torch

from evaluator import agreement, overlap
from evaluator.arena import InputArena, Share
from evaluator.evaluation import Evidence
from evaluator.foreign_load import ForeignLoad
from evaluator.lane import Lane
from evaluator.outcome import Outcome
from evaluator.pool import InputPool, InputSet
from evaluator.problem import Problem, Tensor, Workload
from evaluator.verify import Refused, judge_slot, stray_evidence, strayed, watching
from sandbox.client import SETTLE_SECONDS, Window

WINDOW_SECONDS = 0.003
ARENA_BYTES = 128 << 20
MAX_CALLS = 128
LONG_CALL_SECONDS = 0.008
ALIKE = 1.3
"""Lanes this close in speed get windows of equally many calls: what a window costs beside its calls
(cold caches after the thaw) then weighs equally in both."""
EARLY_SECONDS = 0.0004
EARLY_FREE_SECONDS, EARLY_PROBES = 0.0001, 3
"""So much CPU time goes into waking up; what a lane usually uses beyond it before "go" is charged
to its calls."""
FOREIGN_SHARE = 0.15
CONSTANT_WINDOWS, CONSTANT_TRIES = 25, 6
CONSTANT_QUIET = SETTLE_SECONDS + 0.0004
"""A constant above this was measured in a busy moment."""
PROBED_SHARE = 0.5
SETTLING_CALLS, SETTLING_SECONDS = 16, 1.0
COMPARED_SLOTS = 6
COMPARED_ELEMENTS = 256
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Timed:
    """One round on one workload.

    Attributes:
        seconds: Per call, by lane label.
        calls: Calls in each lane's window.
        windows: The whole window in seconds, by lane label.
        foreign: Share of the machine that other processes took.
        early: Largest CPU time a lane used before it was told to begin.
        probed: It was measured exactly, by stopping every lane once more before its window.
    """

    seconds: Mapping[str, float]
    calls: Mapping[str, int]
    windows: Mapping[str, float]
    foreign: float
    early: float
    probed: bool

    @property
    def clean(self) -> bool:
        """Undisturbed."""
        return self.foreign <= FOREIGN_SHARE and self.early <= EARLY_SECONDS


class Stopwatch:
    """Times lanes against each other on the time workloads of a problem.

    Attributes:
        constant: Seconds of a window that belong to the protocol.
        hand_over: Seconds of a call in a chain that belong to the protocol.
        silent: Labels of trusted lanes that drop their outputs (PyTorch variants that return).
    """

    def __init__(self, problem: Problem, pool: InputPool, arena: InputArena, seed: int) -> None:
        self._problem = problem
        self._pool = pool
        self.arena = arena
        self._rng = random.Random(seed)
        self._generator = torch.Generator().manual_seed(seed)
        self._orders: dict[int, list[int]] = {}
        self.silent: frozenset[str] = frozenset()
        self.constant = 0.0
        self.hand_over = 0.0
        self._trusted: dict[str, float] = {}
        self.workloads = problem.time_workloads

    def calibrate(self, null: Lane) -> None:
        """Measure the constant part of a window with a kernel that does nothing.

        The lower quartile, of the quietest of several tries: a constant from a busy moment would
        make every later call look short.
        """
        null.bind(self.arena)
        self.constant = _constant(null)
        self.hand_over = median(null.chain(0, [0] * CONSTANT_WINDOWS, TIMEOUT_SECONDS))

    def trust(self, lane: Lane) -> None:
        """Measure the constant part of a window with a lane that is ours, for its own windows: a
        runner in Python takes longer to answer, which is no part of what it runs.

        Raises:
            Refused: It failed.
        """
        with watching(lane, "load"):
            lane.bind(self.arena)
            self._trusted[lane.label] = max(self.constant, _constant(lane))

    def settle(self, lane: Lane) -> None:
        """Let a PyTorch variant call often enough for its allocator to have all the memory it will
        use: until then calls that recycle memory touch new pages, 16 MB of them in 1 to 50 ms.

        Args:
            lane: Bound.

        Raises:
            Refused: It failed.
        """
        for group, workload in enumerate(self.workloads):
            slots = list(range(self.arena.shares[group].slots))
            for slot in slots:
                self._pool.freshen(workload, self.arena.slots[group][slot])
            until = time.monotonic() + SETTLING_SECONDS
            with watching(lane, workload.name):
                calls = 0
                while calls < SETTLING_CALLS and time.monotonic() < until:
                    lane.window(group, slots, TIMEOUT_SECONDS)
                    calls += len(slots)

    def doubt(self) -> None:
        """Measure the constant again before anything else is timed."""
        self.constant = 0.0

    def arrange(self, fastest: Mapping[str, float]) -> None:
        """Lay out slots for lanes of which the fastest needs these seconds a call, by workload."""
        shares = [Share(w, 2 * self._calls(w, fastest[w.name])) for w in self.workloads]
        if [s.slots for s in shares] != [s.slots for s in self.arena.shares]:
            self.arena.arrange(shares)

    def round(
        self, group: int, lanes: Sequence[Lane], estimates: Mapping[str, float], double: bool
    ) -> Timed:
        """Time every lane once, in the given order, on the same fresh inputs.

        Args:
            group: Index of the workload.
            lanes: Bound lanes; reverse them every other round.
            estimates: Seconds per call of each lane on this workload, to size its window.
            double: Use windows of 2n instead of n calls.

        Raises:
            Refused: A lane crashed, stalled, or broke a rule; the label tells which in the message.
        """
        workload = self.workloads[group]
        counts: dict[str, int] = {}
        fastest = min(estimates[lane.label] for lane in lanes)
        for lane in lanes:
            estimate = estimates[lane.label]
            calls = self._calls(workload, fastest if estimate < ALIKE * fastest else estimate)
            counts[lane.label] = 2 * calls if double and estimate < LONG_CALL_SECONDS else calls
        used = min(max(counts.values()), self.arena.shares[group].slots)
        order = self._rng.sample(range(used), used)
        for slot in order:
            self._pool.freshen(workload, self.arena.slots[group][slot])
        load = ForeignLoad(lambda: sum(lane.cpu_seconds() for lane in lanes))
        early, windows, probed = 0.0, {}, self._rng.random() < PROBED_SHARE
        for lane in lanes:
            lane.outputs.poison(group, used)
            if probed:
                with watching(lane, workload.name):
                    early = max(early, lane.probe())
            window = self._window(group, workload, lane, order[: counts[lane.label]])
            windows[lane.label] = window.seconds
            early = max(early, window.early_seconds)
        foreign = load.share()
        self._inspect(group, workload, lanes, order[: min(counts.values())])
        counts = {k: min(n, used) for k, n in counts.items()}
        owed = {
            n.label: early_charge(n.probes, probed) - self._trusted.get(n.label, self.constant)
            for n in lanes
        }
        seconds = {k: max(t + owed[k], 1e-9) / counts[k] for k, t in windows.items()}
        return Timed(seconds, counts, windows, foreign, early, probed)

    def chains(self, group: int) -> int:
        """How many chains a sitting owes a workload; none where there are too few slots."""
        slots = self.arena.shares[group].slots
        return 0 if slots < overlap.FEWEST_SLOTS else 1 if slots >= overlap.MANY_SLOTS else 2

    def reveal(self, group: int, lanes: Sequence[Lane]) -> Mapping[str, float]:
        """Time calls whose slots are told one by one, among many slots that all look alike.

        A first call, which wakes threads, does not count. See `evaluator.overlap`.

        Returns:
            Seconds per call by lane label.

        Raises:
            Refused: As for `round`.
        """
        workload, slots = self.workloads[group], self.arena.shares[group].slots
        for slot in self._rng.sample(range(slots), slots):
            self._pool.freshen(workload, self.arena.slots[group][slot])
        order = self._rng.sample(range(slots), slots // overlap.SLOTS_PER_CALL + 1)
        seconds = {}
        for lane in lanes:
            lane.outputs.poison(group, slots)
            with watching(lane, workload.name):
                _, *others = lane.chain(group, order, TIMEOUT_SECONDS)
                lane.drain()
            seconds[lane.label] = max(median(others) - self.hand_over, 1e-9)
        self._inspect(group, workload, lanes, order)
        return seconds

    def audit(self, group: int, lane: Lane) -> None:
        """Recompute the reference for a random slot of the last round and judge the lane's output.

        Raises:
            Refused: It is wrong.
        """
        workload = self.workloads[group]
        self._audit_slot(group, workload, lane, self._rng.choice(self._orders[group]))

    def _audit_slot(self, group: int, workload: Workload, lane: Lane, slot: int) -> None:
        inputs = self.arena.slots[group][slot]
        owed = InputSet(inputs, self._pool.expect(workload, inputs))
        try:
            judge_slot(self._problem, workload, lane, group, slot, owed)
        except Refused as refusal:
            found = refusal.evidence
            message = f"right in verification, wrong when timed: {found.message}"
            evidence = Evidence("timed-output", message, found.workload, found.details)
            raise Refused(Outcome.INCORRECT, evidence, lane.label) from refusal

    def _window(self, group: int, workload: Workload, lane: Lane, slots: list[int]) -> Window:
        """Time one lane; what it writes after it said done is not taken."""
        looked = {*slots[-2:], *self._rng.sample(slots, min(COMPARED_SLOTS, len(slots)))}
        with watching(lane, workload.name):
            window = lane.window(group, slots, TIMEOUT_SECONDS)
            places = [self._places(tensor, workload) for tensor in self._problem.outputs]
            before = self._glimpse(group, lane, looked, places)
            lane.drain()
        if strayed(lane, window):
            raise Refused(Outcome.TAMPERED, stray_evidence(window), lane.label)
        if not torch.equal(before, self._glimpse(group, lane, looked, places)):
            evidence = Evidence("late-write", "wrote outputs after it said done", workload.name)
            raise Refused(Outcome.TAMPERED, evidence, lane.label)
        return window

    def _places(self, tensor: Tensor, workload: Workload) -> torch.Tensor:
        count = math.prod(tensor.extents(workload.dims))
        size = (COMPARED_ELEMENTS if count else 0,)
        return torch.randint(max(1, count), size, generator=self._generator)

    def _glimpse(
        self, group: int, lane: Lane, slots: set[int], places: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        """The bytes of an output at some places of some slots."""
        found = [torch.empty(0, dtype=torch.uint8)]
        for slot in slots:
            views = lane.outputs.slots[group][slot].values()
            found += [
                v.reshape(-1)[p].view(torch.uint8) for v, p in zip(views, places, strict=True)
            ]
        return torch.cat(found)

    def _inspect(
        self, group: int, workload: Workload, lanes: Sequence[Lane], order: list[int]
    ) -> None:
        self._orders[group] = order
        for lane in lanes:
            if (slot := lane.outputs.overrun(group, len(order))) is not None:
                message = f"bytes outside the outputs of slot {slot} were written"
                evidence = Evidence("guard-bytes", message, workload.name)
                raise Refused(Outcome.TAMPERED, evidence, lane.label)
        speaking = [lane for lane in lanes if lane.label not in self.silent]
        for slot in self._rng.sample(order, min(COMPARED_SLOTS, len(order))):
            if not self._agree(group, speaking, slot):
                for lane in speaking:
                    self._audit_slot(group, workload, lane, slot)

    def _agree(self, group: int, lanes: Sequence[Lane], slot: int) -> bool:
        """Lanes agree on a random sample of a slot's elements (only a reason to look closer)."""
        for tensor in self._problem.outputs:
            flats = [lane.outputs.slots[group][slot][tensor.name].reshape(-1) for lane in lanes]
            if flats[0].numel() == 0:
                continue
            size = (COMPARED_ELEMENTS,)
            picks = torch.randint(flats[0].numel(), size, generator=self._generator)
            first, *others = (flat[picks] for flat in flats)
            share = agreement.share(self._problem, tensor)
            if not all(agreement.close(first, other, share) for other in others):
                return False
        return True

    def _calls(self, workload: Workload, seconds: float) -> int:
        footprint = self._problem.footprint(workload)
        most = max(1, min(MAX_CALLS, ARENA_BYTES // max(1, footprint)) // 2)
        return max(1, min(most, math.ceil(WINDOW_SECONDS / max(seconds, 1e-9))))


def _constant(lane: Lane) -> float:
    """Seconds of a window without calls."""
    found: list[float] = []
    while len(found) < CONSTANT_TRIES and min(found, default=1.0) > CONSTANT_QUIET:
        windows = [lane.window(0, [], TIMEOUT_SECONDS).seconds for _ in range(CONSTANT_WINDOWS)]
        found.append(sorted(windows)[CONSTANT_WINDOWS // 4])
    return min(found)


def early_charge(probes: Sequence[float], probed: bool) -> float:
    """Seconds that a lane's window owes for work done before "go".

    Args:
        probes: CPU seconds it used with inputs in place and no call made, so far.
        probed: It ran twice with these inputs in place: for the probe and for the window.
    """
    if len(probes) < EARLY_PROBES:
        return 0.0
    return max(0.0, median(probes) - EARLY_FREE_SECONDS) * (2 if probed else 1)


def slope(timed: Sequence[Timed], label: str) -> float | None:
    """Seconds per call from windows of n and 2n calls, free of any constant; None if not both."""
    by_calls: dict[int, list[float]] = {}
    for t in timed:
        by_calls.setdefault(t.calls[label], []).append(t.windows[label])
    if len(by_calls) < 2:
        return None
    few, many = min(by_calls), max(by_calls)
    return (median(by_calls[many]) - median(by_calls[few])) / (many - few)

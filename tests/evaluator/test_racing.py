"""Series of rounds: what is left out, what is estimated, what counts as background work."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import pytest

from evaluator import racing, sittings
from evaluator.overlap import FEWEST_CHAINS
from evaluator.racing import (
    FEWEST_PAIRS,
    NOMINAL,
    PROBES,
    Series,
    is_improvement,
)
from evaluator.stopwatch import EARLY_SECONDS, FOREIGN_SHARE, Timed


def timed(
    candidate: float,
    other: float,
    *,
    calls: int = 4,
    foreign: float = 0.0,
    early: float = 0.0,
    probed: bool = True,
) -> Timed:
    seconds = {"candidate": candidate, "incumbent": other}
    windows = {k: v * calls + 0.001 for k, v in seconds.items()}
    counts = dict.fromkeys(seconds, calls)
    return Timed(seconds, counts, windows, foreign, early, probed)


def series(*columns: list[Timed]) -> Series:
    return Series("candidate", "incumbent", list(columns))


def test_the_ratio_is_the_candidates_speedup() -> None:
    found = series([timed(1.0, 2.0)] * 6)
    assert found.log_ratios() == pytest.approx([math.log(2)] * 6)
    assert found.interval().estimate == pytest.approx(2.0)


def test_workloads_count_alike() -> None:
    found = series([timed(1.0, 4.0)] * 4, [timed(100.0, 100.0)] * 4)
    assert found.interval().estimate == pytest.approx(2.0)
    assert found.log_ratios(1) == pytest.approx([0.0] * 4)


def test_disturbed_rounds_are_left_out() -> None:
    disturbed = timed(9.0, 1.0, foreign=FOREIGN_SHARE * 2)
    found = series([timed(1.0, 2.0), disturbed, timed(1.0, 2.0), disturbed])
    assert found.log_ratios() == pytest.approx([math.log(2)] * 2)
    assert found.clean_rounds() == 2


def test_a_round_is_disturbed_if_one_workload_was() -> None:
    bad = timed(9.0, 1.0, early=EARLY_SECONDS * 2)
    found = series([timed(1.0, 2.0)] * 3, [timed(1.0, 2.0), bad, timed(1.0, 2.0)])
    assert found.clean_rounds() == 2
    assert found.log_ratios() == pytest.approx([math.log(2)] * 2)


def test_on_a_machine_that_is_never_quiet_all_rounds_count() -> None:
    disturbed = timed(1.0, 3.0, foreign=0.9)
    found = series([timed(1.0, 2.0)] + [disturbed] * 9)
    assert len(found.log_ratios()) == 10


def test_swapping_sides_gives_the_reciprocal() -> None:
    rounds = [timed(1.0 + 0.01 * n, 1.7) for n in range(9)]
    forth = Series("candidate", "incumbent", [rounds]).interval()
    back = Series("incumbent", "candidate", [rounds]).interval()
    assert forth.estimate * back.estimate == pytest.approx(1.0)
    assert forth.low * back.high == pytest.approx(1.0, rel=0.02)


def chained(windows: float, chains: float, count: int = 8) -> Series:
    found = series([timed(windows, 1e-3)] * 8)
    found.chains = [[{"candidate": chains, "incumbent": 1e-3}] * count]
    return found


def test_calls_that_take_longer_when_nobody_announced_them_hide_work() -> None:
    assert chained(300e-6, 400e-6).hidden_work(0) == (300e-6, 400e-6)
    assert chained(300e-6, 400e-6, FEWEST_CHAINS - 1).hidden_work(0) is None, "too little evidence"
    assert chained(300e-6, 340e-6).hidden_work(0) is None, "noise"
    assert chained(400e-6, 300e-6).hidden_work(0) is None
    assert chained(4e-6, 19e-6).hidden_work(0) is None, "a hand-over varies by as much"


def test_what_the_opponent_shows_too_is_the_machines_doing() -> None:
    found = chained(300e-6, 400e-6)
    for chain in found.chains[0]:
        assert isinstance(chain, dict)
        chain["incumbent"] = 1.2e-3
    assert found.hidden_work(0) is None


def test_what_earns_no_credit_is_no_matter() -> None:
    found = chained(300e-6, 400e-6)
    found.timed[0] = [timed(300e-6, 300e-6)] * 8
    found.chains = [[{"candidate": 400e-6, "incumbent": 370e-6}] * 8]
    assert found.hidden_work(0) is None


def test_few_guesses_that_come_true_do_not_help() -> None:
    found = chained(300e-6, 400e-6, 6)
    found.chains[0] += [{"candidate": 20e-6, "incumbent": 1e-3}] * 3
    assert found.hidden_work(0) is not None


def beside(foreign: list[float]) -> Series:
    """A kernel that shows longer calls when nobody announced them, in the busy sittings alone."""
    found = series([])
    found.chains = [[]]
    for share in foreign:
        found.sit()
        found.timed[0] += [timed(300e-6, 1e-3)] * 4
        found.chains[0].append({"candidate": 500e-6 if share > 0.2 else 310e-6, "incumbent": 1e-3})
        found.foreign.append(share)
    return found


def test_sittings_beside_a_neighbour_accuse_nobody() -> None:
    assert beside([0.5] * 6).hidden_work(0) is None
    assert beside([0.5] * 6).doubtful(0), "and earn no figure"
    told = beside([0.5] * 6 + [0.0] * FEWEST_CHAINS)
    assert told.hidden_work(0) is None
    assert not told.doubtful(0), "the quiet ones tell enough"
    quiet = beside([0.5] * 6)
    quiet.foreign = [0.0] * 6
    assert quiet.hidden_work(0) == (300e-6, 500e-6)


def test_without_chains_windows_of_two_calls_are_compared_with_windows_of_one() -> None:
    ahead = [timed(5e-3 / calls, 5e-3, calls=calls) for calls in (1, 2)] * 8
    assert series(ahead).hidden_work(0) == (2.5e-3, 5e-3)
    honest = [timed(5e-3, 5e-3, calls=calls) for calls in (1, 2)] * 8
    assert series(honest).hidden_work(0) is None
    assert series([timed(5e-3, 5e-3, calls=1)] * 8).hidden_work(0) is None


def test_seconds_come_from_the_slope_where_both_lengths_agree() -> None:
    windows = [timed(1.0, 1.0, calls=n) for n in (4, 8, 4, 8)]
    assert series(windows).median_seconds(0, "candidate") == pytest.approx(1.0)
    offset = [
        Timed({"candidate": 5.0}, {"candidate": n}, {"candidate": 4.0 * n + 4.0}, 0.0, 0.0, False)
        for n in (4, 8)
    ]
    assert series(offset).median_seconds(0, "candidate") == 5.0, "they differ: the whole window"


def test_only_probed_rounds_tell_of_work_before_the_call() -> None:
    early, quiet = timed(1, 1, early=EARLY_SECONDS * 2), timed(1, 1)
    unprobed = timed(1, 1, early=EARLY_SECONDS * 2, probed=False)
    assert series([early] * PROBES).early_share() == 1.0
    assert series([early] * (PROBES - 1)).early_share() == 0.0, "too few to say"
    assert series([early, quiet, early, quiet, unprobed, unprobed]).early_share() == 0.5


def test_the_stored_form_keeps_every_round() -> None:
    found = series([timed(1.0, 2.0), timed(1.0, 2.0, foreign=0.9), timed(1.0, 2.0)])
    stored = found.comparison(0, "64x1024", "race")
    assert (stored.workload, stored.other, stored.phase) == ("64x1024", "incumbent", "race")
    assert [r.used for r in stored.rounds] == [True, False, True]
    assert [(r.candidate, r.other) for r in stored.rounds] == [(1.0, 2.0)] * 3
    assert stored.speedup.estimate == pytest.approx(2.0)


def sat(*sittings: list[Timed]) -> Series:
    """A series on one workload, each list of rounds with a pair of runners of its own."""
    found = Series("candidate", "incumbent", [[]])
    for rounds in sittings:
        found.sit()
        found.timed[0].extend(rounds)
    return found


def test_every_sitting_counts_alike() -> None:
    gains = (1.0, 1.1, 1.2, 1.3)
    found = sat(*([timed(1.0, gain)] * n for gain, n in zip(gains, (20, 2, 8, 4), strict=True)))
    assert found.sittings() == pytest.approx([math.log(g) for g in gains])
    centre = math.exp(sum(map(math.log, gains)) / 4)
    assert found.interval().estimate == pytest.approx(centre)
    assert found.comparison(0, "64x1024", "confirm").speedup == found.interval()


def test_an_interval_over_sittings_is_wider_than_theory_asks() -> None:
    gains = (1.0, 1.1) * FEWEST_PAIRS
    found = sat(*([timed(1.0, g)] * 4 for g in gains)).interval()
    assert found == sittings.interval([math.log(g) for g in gains], NOMINAL)
    assert found.high > sittings.interval([math.log(g) for g in gains]).high


def test_rounds_alone_do_not_narrow_what_sittings_disagree_on() -> None:
    gains = (1.00, 1.04, 0.99, 1.05)
    few = sat(*([timed(1.0, g)] * 4 for g in gains)).interval()
    many = sat(*([timed(1.0, g)] * 40 for g in gains)).interval()
    assert many.high / many.low == pytest.approx(few.high / few.low)
    assert many.low < 1.0 < 1.04 < many.high


def test_a_sitting_that_was_disturbed_does_not_count() -> None:
    bad = [timed(9.0, 1.0, foreign=FOREIGN_SHARE * 2)] * 4
    good = [timed(1.0, 2.0)] * 4
    found = sat(good, bad, *[good] * (FEWEST_PAIRS - 1))
    assert found.sittings() == pytest.approx([math.log(2)] * FEWEST_PAIRS)
    assert len(sat(good, bad, good, good).sittings()) == 4, "too few are left: all count"


def test_a_higher_noise_floor_asks_for_more() -> None:
    estimates = [math.log(g) for g in (1.045, 1.05, 1.055, 1.05)]
    assert is_improvement(estimates, 0.0)
    assert is_improvement(estimates, 0.04)
    assert not is_improvement(estimates, 0.05)
    assert not is_improvement([e - math.log(1.03) for e in estimates], 0.0)


class Idle:
    """A lane, or a stopwatch, that nothing is asked of."""

    workloads = ("only",)

    def __init__(self, label: str) -> None:
        self.label = label

    def close(self) -> None:
        """Nothing is open."""

    def cpu_seconds(self) -> float:
        return 0.0

    def audit(self, group: int, lane: object) -> None:
        """Whatever it wrote is right."""


@pytest.mark.parametrize(
    ("gains", "patience", "pairs", "improved"),
    [
        ((1.3,) * 16, 9, 4, True),  # clear
        ((0.9,) * 16, 9, 4, False),
        ((1.04, 1.05, 1.06, 1.05) * 4, 9, 8, True),  # sure
        ((0.99, 1.03, 1.00, 1.04) * 4, 9, 8, False),  # not even an estimate above 2 %
        ((0.97, 1.09, 0.98, 1.06) * 8, 9, 32, False),  # a little above, and not expensive
        ((0.97, 1.09, 0.98, 1.06) * 8, 0, 8, False),  # a little above: all pairs would not do
        ((0.98, 1.12, 1.09, 1.05) * 8, 0, 16, True),  # close: sure after eight more
        ((0.96, 1.15) * 16, 0, 32, False),  # close to the end
    ],
)
def test_more_pairs_follow_while_it_is_close(
    monkeypatch: pytest.MonkeyPatch,
    gains: Sequence[float],
    patience: float,
    pairs: int,
    improved: bool,
) -> None:
    monkeypatch.setattr(racing, "PATIENCE_SECONDS", patience)
    left = iter(gains)

    def sit(stopwatch: object, lanes: object, estimates: object, found: Series) -> None:
        found.timed = found.timed or [[]]
        found.sit()
        found.timed[0].extend([timed(1.0, next(left))] * 4)

    monkeypatch.setattr(racing, "sit", sit)
    monkeypatch.setattr(racing, "run_chains", lambda *_: None)
    mine, other = Idle("candidate"), Idle("incumbent")
    clock: Any = mine
    pair: Any = (mine, other)
    found, decision = racing.confirm(clock, lambda: pair, {}, 0.01, random.Random(1))
    assert (len(found.sittings()), decision) == (pairs, improved)

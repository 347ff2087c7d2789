"""Search strategies compared on recorded candidate spaces: no machine, no model, no luck.

    python -m benchmarks.search [--seeds 40] [--evaluations 60]

Every strategy drives the real search through the same recorded spaces (`benchmarks.walks`) and
differs from the default in one thing. What counts is the best confirmed speedup after so many
evaluations and tokens; intervals are over random seeds.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from agent.population import Population
from benchmarks import quiet, spaces
from benchmarks.walks import (
    DEFAULTS,
    Anybody,
    Choosy,
    OnlyTheBest,
    Space,
    Stand,
    Strategy,
    Walk,
    WithoutCells,
    after,
)

CHECKPOINTS = (15, 30, 60)
RESAMPLES = 2000

STRATEGIES: Mapping[str, Strategy] = {
    "islands and cells (default)": Strategy(),
    "one island and cells": Strategy(lambda: Population(1)),
    "four islands and cells": Strategy(lambda: Population(4)),
    "four islands, no extinction": Strategy(lambda: Population(4), extinct_after=0),
    "no extinction": Strategy(extinct_after=0),
    "islands without cells": Strategy(lambda: WithoutCells(DEFAULTS.islands)),
    "mostly the best": Strategy(lambda: Choosy(DEFAULTS.islands)),
    "hill climbing": Strategy(lambda: OnlyTheBest(1)),
    "random parents": Strategy(lambda: Anybody(1)),
    "no tune": Strategy(tune=False),
    "no credit": Strategy(credit=False),
    "no equivalence cache": Strategy(equivalence=False),
    "lessons of other problems": Strategy(lessons=True),
    "no openings": Strategy(openings=False),
    "no openings, mostly the best": Strategy(lambda: Choosy(DEFAULTS.islands), openings=False),
    "no openings, hill climbing": Strategy(lambda: OnlyTheBest(1), openings=False),
    "no openings, random parents": Strategy(lambda: Anybody(1), openings=False),
    "no openings, no tune": Strategy(openings=False, tune=False),
    "no openings, no credit": Strategy(openings=False, credit=False),
    "no openings, lessons of other problems": Strategy(openings=False, lessons=True),
    "a model for a quarter": Strategy(mix=0.75),
    "a model for a half (default)": Strategy(mix=0.5),
    "a model first": Strategy(mix=0.0),
    "a model first, no openings": Strategy(mix=0.0, openings=False),
}


def interval(values: Sequence[float], rng: random.Random) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[RESAMPLES // 40], means[-RESAMPLES // 40]


@dataclass(frozen=True)
class Walks:
    """All walks of one strategy: of every seed, one on each space."""

    strategy: str
    curves: Sequence[Sequence[Sequence[Stand]]]

    def reached(self, evaluations: int) -> list[float]:
        """Log-speedup after so many evaluations, mean over the spaces, for every seed."""
        return [fmean(after(c, evaluations).log_speedup for c in seed) for seed in self.curves]

    def tokens(self, evaluations: int) -> float:
        """Tokens taken on a space after so many evaluations, in the mean."""
        return fmean(after(c, evaluations).tokens for seed in self.curves for c in seed)

    def row(self, default: Walks, rng: random.Random) -> list[object]:
        """Of the table."""
        last = CHECKPOINTS[-1]
        own = self.reached(last)
        differences = [a - b for a, b in zip(own, default.reached(last), strict=True)]
        means = [f"{math.exp(fmean(self.reached(n))):.2f}x" for n in CHECKPOINTS]
        against = "" if self is default else _span(differences, rng, digits=3)
        tokens = " / ".join(f"{round(self.tokens(n), -2):,.0f}" for n in CHECKPOINTS)
        return [self.strategy, *means, _span(own, rng), against,
                tokens if self.tokens(last) else ""]  # fmt: skip

    def facts(self, problems: Sequence[str]) -> dict[str, object]:
        """For the JSON file."""
        return {
            "problems": {
                problem: {n: math.exp(fmean(after(seed[i], n).log_speedup for seed in self.curves))
                          for n in CHECKPOINTS}
                for i, problem in enumerate(problems)
            },
            "tokens": {n: self.tokens(n) for n in CHECKPOINTS},
            "per_seed": {n: self.reached(n) for n in CHECKPOINTS},
        }  # fmt: skip


def _span(logs: Sequence[float], rng: random.Random, digits: int = 2) -> str:
    low, high = interval(logs, rng)
    return f"{math.exp(low):.{digits}f} to {math.exp(high):.{digits}f}"


def main() -> None:
    """Run and store the result."""
    options = _arguments()
    grounds = [Space(name, spaces.load(name)) for name in options.problems]
    rng = random.Random(1)
    done = [_walked(name, grounds, options.seeds, options.evaluations) for name in STRATEGIES]
    head: list[object] = ["strategy", *(f"after {n}" for n in CHECKPOINTS),
                          "95 % interval of the last", "against the first",
                          "tokens till then"]  # fmt: skip
    top: list[object] = ["the best there is", "", "", f"{_summit(grounds):.2f}x", "", "", ""]
    rows: list[list[object]] = [head, *(walks.row(done[0], rng) for walks in done), top]
    facts = {walks.strategy: walks.facts(options.problems) for walks in done}
    quiet.write("search", {"seeds": options.seeds, "strategies": facts}, rows)


def _walked(name: str, grounds: Sequence[Space], seeds: int, evaluations: int) -> Walks:
    strategy = STRATEGIES[name]
    others = {g.problem: [o for o in grounds if o is not g] for g in grounds}
    return Walks(name, [
        [asyncio.run(Walk(g, strategy, seed, evaluations, others[g.problem]).run())
         for g in grounds]
        for seed in range(seeds)
    ])  # fmt: skip


def _summit(grounds: Sequence[Space]) -> float:
    tops = [max(n.log_speedup for n in g.nodes if n.log_speedup is not None) for g in grounds]
    return math.exp(fmean(tops))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--evaluations", type=int, default=max(CHECKPOINTS))
    parser.add_argument("--problems", nargs="*", default=list(spaces.PROBLEMS))
    return parser.parse_args()


if __name__ == "__main__":
    main()

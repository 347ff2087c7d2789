"""Which operator and which rules pay: arms of a bandit, rewarded with log-gain per evaluation."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FORGET = 0.95
"""What an operator's reward is worth one evaluation of that operator later."""
HOPE, TRUST = 0.1, 4.0
"""Every arm begins as if it had earned HOPE on average in TRUST evaluations."""
RACED = 0.3
"""Worth of a gain that was raced but not confirmed."""
LARGEST_GAIN = math.log(8.0)


def reward(gain: float | None, confirmed: bool) -> float:
    """What an evaluation earns its operator.

    Args:
        gain: Logarithm of the speedup over the incumbent; None if there is none.
        confirmed: It is a confirmed gain.
    """
    if gain is None or gain <= 0:
        return 0.0
    return min(gain, LARGEST_GAIN) * (1.0 if confirmed else RACED)


@dataclass
class _Arm:
    total: float = 0.0
    weight: float = 0.0

    def add(self, value: float) -> None:
        self.total = FORGET * self.total + value
        self.weight = FORGET * self.weight + 1.0

    def value(self) -> float:
        return (HOPE * TRUST + self.total) / (TRUST + self.weight)


class OperatorCredit:
    """Rewards of operators, the latest counting most."""

    def __init__(self, operators: Sequence[str]) -> None:
        self._arms = {name: _Arm() for name in operators}

    def update(self, operator: str, earned: float) -> None:
        """An evaluation of that operator's child ended; operators without an arm are ignored."""
        if operator in self._arms:
            self._arms[operator].add(earned)

    def value(self, operator: str) -> float:
        """Expected reward per evaluation, always positive."""
        return self._arms[operator].value()

    def choose(self, rng: random.Random, prior: Mapping[str, float]) -> str:
        """Draw an operator in proportion to its prior share times its value."""
        names = list(self._arms)
        return rng.choices(names, [prior.get(n, 0.0) * self.value(n) for n in names])[0]


class RuleCredit:
    """Factors on the prior weights of rewriting rules, learnt from children and their parents."""

    def __init__(self) -> None:
        self._sum: dict[str, float] = {}
        self._count: dict[str, float] = {}

    def update(self, rules: Sequence[str], gain: float | None) -> None:
        """A child made by these rules was judged.

        Args:
            rules: Names, in order of application.
            gain: Logarithm of its speedup over its parent; None if it was not correct.
        """
        value = -0.25 if gain is None else max(-0.5, min(gain, 1.0))
        for name in set(rules):
            self._sum[name] = self._sum.get(name, 0.0) + value / len(set(rules))
            self._count[name] = self._count.get(name, 0.0) + 1.0

    def factors(self) -> dict[str, float]:
        """Factor per rule that was tried, from exp(-1) to exp(2); 1 is neutral."""
        return {
            name: math.exp(2.0 * total / (1.0 + self._count[name]))
            for name, total in self._sum.items()
        }


def phase_shares(used: float, heat: float) -> dict[str, float]:
    """Prior shares of the operators over a campaign.

    Rewriting first, numbers last: tuning a kernel that will still be rewritten is wasted.

    Args:
        used: Fraction of the budget that is spent, 0 to 1.
        heat: Stagnation, 0 to 1; turns tuning into exploring again.
    """
    late = min(1.0, max(0.0, (used - 0.6) / 0.25))
    tune = 0.15 + 0.6 * late
    tune -= 0.5 * heat * late
    return {"transform": 1.0 - tune, "tune": tune}

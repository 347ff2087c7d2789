"""Estimates and decisions from interleaved rounds.

Each round gives a log-ratio (other / candidate). The estimate is the median of the rounds, its
interval a percentile bootstrap (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, ch.
13).
Medians, because a shared machine disturbs single rounds by any amount.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluator.evaluation import Interval

RESAMPLES = 1000
IMPROVEMENT = 1.02
"""A gain counts as real only if the interval excludes anything below this."""
RACE_ROUNDS = 16


class Decision(enum.Enum):
    """What a sequential comparison says so far."""

    CONTINUE = "continue"
    HOPELESS = "hopeless"
    """Not faster by anything worth more rounds."""
    PROMISING = "promising"
    """Faster, as far as a race can tell."""


def bootstrap_medians(
    log_ratios: Sequence[float], resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """Sorted medians of resampled rounds, shape [resamples]; deterministic for the same rounds."""
    values = np.asarray(log_ratios, dtype=np.float64)
    rng = np.random.default_rng(len(values))
    picks = rng.integers(0, len(values), size=(resamples, len(values)))
    return np.sort(np.median(values[picks], axis=1))


def interval(log_ratios: Sequence[float], confidence: float = 0.95) -> Interval:
    """Median speedup with its two-sided bootstrap interval, as ratios (not logarithms).

    Raises:
        ValueError: There are no rounds.
    """
    if not log_ratios:
        raise ValueError("no rounds to estimate from")
    medians = bootstrap_medians(log_ratios)
    low, high = np.quantile(medians, [(1 - confidence) / 2, (1 + confidence) / 2])
    centre = float(np.median(np.asarray(log_ratios)))
    return Interval(math.exp(centre), math.exp(min(low, centre)), math.exp(max(high, centre)))


def lower_bound(log_ratios: Sequence[float], confidence: float = 0.95) -> float:
    """One-sided lower confidence bound of the median speedup, as a ratio."""
    return math.exp(float(np.quantile(bootstrap_medians(log_ratios), 1 - confidence)))


def upper_bound(log_ratios: Sequence[float], confidence: float = 0.95) -> float:
    """One-sided upper confidence bound of the median speedup, as a ratio."""
    return math.exp(float(np.quantile(bootstrap_medians(log_ratios), confidence)))


def decide_race(log_ratios: Sequence[float], rounds: int = RACE_ROUNDS) -> Decision:
    """Whether a candidate deserves more rounds, confirmation, or nothing.

    Stops at once when every round says clearly slower, and asks for more the closer it is.
    """
    n = len(log_ratios)
    if n < 2:
        return Decision.CONTINUE
    worst, best = min(log_ratios), max(log_ratios)
    if n < 6:
        if best < math.log(0.85) or (n >= 4 and best < math.log(0.97)):
            return Decision.HOPELESS
        return Decision.PROMISING if n >= 4 and worst > math.log(1.15) else Decision.CONTINUE
    if upper_bound(log_ratios) < IMPROVEMENT:
        return Decision.HOPELESS
    if lower_bound(log_ratios) > IMPROVEMENT:
        return Decision.PROMISING
    if n < rounds:
        return Decision.CONTINUE
    return Decision.PROMISING if lower_bound(log_ratios, 0.8) > 1.0 else Decision.HOPELESS


def geometric_mean(values: Sequence[float]) -> float:
    """Geometric mean of positive values.

    Raises:
        ValueError: A value is not positive, or there are none.
    """
    if not values or min(values) <= 0:
        raise ValueError("the geometric mean needs positive values")
    return math.exp(sum(map(math.log, values)) / len(values))


def edge(noise_floor: float) -> float:
    """From here on a speedup counts as one: 2 %, or the machine's noise floor if that is more."""
    return max(IMPROVEMENT, 1.0 + noise_floor)


def distinguishable(interval: Interval, noise_floor: float) -> bool:
    """All of the interval is 2 % away from equality, and the estimate more than the noise floor."""
    faster = interval.low > IMPROVEMENT and interval.estimate > edge(noise_floor)
    slower = interval.high < 1.0 / IMPROVEMENT and interval.estimate < 1.0 / edge(noise_floor)
    return faster or slower


def no_slower(interval: Interval, noise_floor: float) -> bool:
    """A test of non-inferiority: all of the interval lies above 1 / `edge`.

    The margin is that from which on a gain is called one: what a kernel may lose here is less than
    what would have made it an improvement. With a 95 % interval, a kernel that is slower by the
    whole margin passes in at most 2.5 % of cases.
    """
    return interval.low > 1.0 / edge(noise_floor)

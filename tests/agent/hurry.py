"""Campaigns whose figures do not matter: as few rounds as the protocol allows."""

from __future__ import annotations

from collections.abc import Callable

from evaluator import cascade, racing


def hurry(put: Callable[[object, str, object], object]) -> None:
    """Shorten what waits for a quiet machine, by `setattr` or something like it."""
    put(cascade, "NOISE_PAIRS", racing.FEWEST_PAIRS)
    put(cascade, "MORE_NOISE_PAIRS", racing.FEWEST_PAIRS)
    put(racing, "PATIENCE_SECONDS", 1.0)

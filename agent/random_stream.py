"""Randomness that survives a crash: its whole state is a seed and a count."""

from __future__ import annotations

import json
import random
from typing import Self


class RandomStream:
    """Hands out one independent generator per proposal.

    Generator number n depends on the seed and on n alone, so a resumed campaign goes on with the
    very generators that an uninterrupted one would have used.

    Args:
        seed: Any integer.
        drawn: How many generators have been handed out before.
    """

    def __init__(self, seed: int, drawn: int = 0) -> None:
        self.seed = seed
        self.drawn = drawn

    def next(self) -> random.Random:
        """The next generator."""
        self.drawn += 1
        return random.Random(f"{self.seed}:{self.drawn}")

    @property
    def state(self) -> str:
        """What `restore` takes."""
        return json.dumps({"seed": self.seed, "drawn": self.drawn})

    @classmethod
    def restore(cls, state: str) -> Self:
        """The stream as it was when `state` was read."""
        fields = json.loads(state)
        return cls(int(fields["seed"]), int(fields["drawn"]))

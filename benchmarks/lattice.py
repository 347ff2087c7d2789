"""A closed set of kernels: every combination of a few rewriting rules and sets of compiler flags.

What leads from one combination to another is a step of the embedded proposer, and every step leads
to a kernel of the set. So a search can go on from whatever it finds; in a tree that grew by chance
it would come to an end wherever nobody had been.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.transform.engine import RULES, Proposal
from agent.transform.openings import apply_first
from agent.transform.rules.flags import CAREFUL, FAST, merge
from evaluator.tunables import flags, with_flags

FLAG_SETS: tuple[tuple[str, ...], ...] = ((), CAREFUL, FAST)
ALL = 16
_ORDER = {
    "privatise": 1, "stage-scatter": 1, "single-precision": 1, "float-literals": 1,
    "fast-functions": 1, "vector-math": 1, "hoist-reciprocal": ALL, "rsqrt": 1, "interchange": 1,
    "tile": 1, "time-tile": 1, "split-accumulator": ALL, "unroll-and-jam": 2, "blocked-scan": 1,
    "fission": 1, "parallel-region": 1, "parallel-for": 1, "unroll": ALL, "streaming-stores": 1,
    "prefetch": 1, "simd": ALL, "align-start": ALL, "restrict": 1,
}  # fmt: skip
"""How often each rule is applied, in the order in which they are."""


@dataclass(frozen=True)
class Setting:
    """A combination: which of the lattice's rules are applied, and the number of the flag set."""

    rules: tuple[bool, ...]
    flag_set: int

    def __str__(self) -> str:
        return "".join("01"[on] for on in self.rules) + f"/{self.flag_set}"

    @classmethod
    def read(cls, text: str) -> Setting:
        """From its text."""
        rules, _, flag_set = text.partition("/")
        return cls(tuple(on == "1" for on in rules), int(flag_set))


@dataclass(frozen=True)
class Lattice:
    """All combinations of these rules."""

    names: tuple[str, ...]

    def settings(self) -> Iterator[Setting]:
        """Every one, those with fewer rules first; the first is the seed."""
        combinations = itertools.product((False, True), repeat=len(self.names))
        for rules in sorted(combinations, key=sum):
            for flag_set in range(len(FLAG_SETS)):
                yield Setting(rules, flag_set)

    def source(self, seed: str, setting: Setting) -> str:
        """The seed with a combination applied."""
        at = seed
        for name, on in zip(self.names, setting.rules, strict=True):
            chain = apply_first(at, name, _ORDER[name]) if on else ()
            at = chain[-1].source if chain else at
        extra = FLAG_SETS[setting.flag_set]
        return with_flags(at, merge(flags(at), extra)) if extra else at

    def nearest(self, proposal: Proposal) -> Setting:
        """The combination of those of a proposal's rules that are here, with its kind of flags."""
        have = set(flags(proposal.source))
        flag_set = FLAG_SETS.index(FAST if set(FAST) <= have else CAREFUL if have else ())
        return Setting(tuple(name in proposal.rules for name in self.names), flag_set)

    def further(self, setting: Setting, steps: int) -> Iterator[tuple[Setting, tuple[str, ...]]]:
        """Combinations with so many more rules, with their names; flags, where there are none,
        are one of them."""
        open_to = [n for n, on in enumerate(setting.rules) if not on]
        more = range(1, len(FLAG_SETS)) if setting.flag_set == 0 else ()
        for added in itertools.combinations(open_to, steps):
            names = tuple(self.names[n] for n in added)
            yield self._with(setting, added, setting.flag_set), names
        for added in itertools.combinations(open_to, steps - 1):
            names = (*(self.names[n] for n in added), "flags")
            for flag_set in more:
                yield self._with(setting, added, flag_set), names

    def other_flags(self, setting: Setting) -> Iterator[Setting]:
        """The same rules with other flags."""
        for flag_set in range(len(FLAG_SETS)):
            if flag_set != setting.flag_set:
                yield Setting(setting.rules, flag_set)

    @staticmethod
    def _with(setting: Setting, added: Sequence[int], flag_set: int) -> Setting:
        rules = tuple(on or n in added for n, on in enumerate(setting.rules))
        return Setting(rules, flag_set)


def lattice(seed: str, rules: int, weight: Mapping[str, float]) -> Lattice:
    """Of the rules with the largest weights among those that apply to a seed."""
    known = {rule.name for rule in RULES} & set(_ORDER)
    fit = [name for name in _ORDER if name in known and apply_first(seed, name, 1)]
    chosen = set(sorted(fit, key=lambda name: -weight.get(name, 1.0))[:rules])
    return Lattice(tuple(name for name in _ORDER if name in chosen))

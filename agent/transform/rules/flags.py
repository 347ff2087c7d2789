"""Compiler flags as genes: which sets and single flags a source may gain."""

from __future__ import annotations

from collections.abc import Iterator

from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Unit
from evaluator.tunables import flags, with_flags

FAST = ("-ffast-math", "-mprefer-vector-width=512")
"""Full freedom: no NaN, no infinity, any association."""
CAREFUL = (
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    "-fassociative-math",
    "-freciprocal-math",
    "-mprefer-vector-width=512",
)
"""Any association, but NaN and infinity keep their meaning."""
WIDE = ("-fno-math-errno", "-fno-trapping-math", "-mprefer-vector-width=512")
"""Only what cannot change a result."""
_SINGLE = (
    "-mprefer-vector-width=512",
    "-ffast-math",
    "-mprefer-vector-width=256",
    "-fno-math-errno",
    "-funroll-loops",
    "-fvect-cost-model=unlimited",
    "-fno-trapping-math",
    "-fprefetch-loop-arrays",
    "-falign-loops=64",
    "-O2",
    "-fno-tree-vectorize",
)


class Flags:
    """Ask for compiler flags that the source does not have yet."""

    name = "flags"
    summary = "compiler flags from the allow-list: fast or careful math, vector width, unrolling"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Proven sets first, then single flags."""
        have = flags(unit.source)
        for extra in (FAST, CAREFUL, WIDE, *((f,) for f in _SINGLE)):
            merged = merge(have, extra)
            if set(merged) != set(have):
                source = with_flags(unit.source, merged)
                yield Rewrite(self.name, f"flags {' '.join(extra)}", source)


def merge(have: tuple[str, ...], extra: tuple[str, ...]) -> tuple[str, ...]:
    """Add flags; of two that exclude each other (same option, other value) the new one stays."""
    kinds = {_kind(f) for f in extra}
    return (*(f for f in have if _kind(f) not in kinds), *extra)


def _kind(flag: str) -> str:
    if flag.startswith("-O"):
        return "-O"
    return flag.split("=")[0]

"""Why a mutant that verification accepts is not a wrong kernel, or why it cannot be caught here.

Keys are the first twelve digits of the candidate's digest. A mutant argued to be equivalent leaves
the score; one that is merely out of reach stays in it as a survivor.
"""

from __future__ import annotations

from collections.abc import Mapping

EQUIVALENT: Mapping[str, str] = {
    "372e4c005f7d": "Partial sums in float, as in the seed. On rows of one value roundings do not "
    "average out, and where they go depends on the value; neither order is the better one.",
}
_NARROW = (
    "The index breaks where this dimension exceeds {0}, and no workload makes it that large: it is "
    "right on every size that it was tested on, which is a stated limit (docs/trust.md)."
)
OUT_OF_REACH: Mapping[str, str] = {
    "2205ff1320bf": "Sums in float, where the seed takes more care than is asked for: the policy "
    "allows any order and precision of sums down to float32.",
    "0e8c5c5be0a3": _NARROW.format("32,767"),
    "25b94966c70e": _NARROW.format("32,767"),
    "a4ae5a5c22da": _NARROW.format("65,535"),
    "efd5fa8856f3": _NARROW.format("32,767"),
    "e49ef2fa0652": _NARROW.format("65,535"),
    "6da63146532d": _NARROW.format("32,767"),
}

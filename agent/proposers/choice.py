"""Which proposer a configuration means."""

from __future__ import annotations

from agent.proposers.protocol import Proposer
from agent.proposers.transform import TransformProposer
from evaluator.errors import ConfigError


def choose(name: str, backend: str) -> tuple[Proposer, str]:
    """The proposer of that name, and a line that says what `auto` has become.

    Raises:
        ConfigError: It cannot rewrite the backend's language.
    """
    if backend != "cpp":
        raise ConfigError(
            f"the proposer 'transform' rewrites C++ and cannot work on backend {backend!r}; "
            "use --backend cpp"
        )
    reason = ": no model is configured" if name == "auto" else ""
    return TransformProposer(), f"proposer transform{reason}"

"""Promises about pointer parameters: no aliasing, 64-byte alignment."""

from __future__ import annotations

from collections.abc import Iterator

from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Edit, Unit


class Restrict:
    """Promise that the pointer parameters do not alias."""

    name = "restrict"
    summary = "`__restrict__` on every pointer parameter"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """At most one: all parameters together."""
        edits = []
        for parameter in unit.parameters:
            if parameter.is_pointer and "restrict" not in parameter.ctype:
                at = parameter.node.end_byte - len(parameter.name.encode())
                edits.append(Edit(at, at, "__restrict__ "))
        if edits:
            yield Rewrite(self.name, "restrict pointer parameters", unit.edited(*edits))


class AssumeAligned:
    """Use the promise of the calling convention that tensors are 64-byte aligned."""

    name = "assume-aligned"
    summary = "`__builtin_assume_aligned(p, 64)` on every pointer parameter"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """At most one: all parameters together."""
        lines = []
        for parameter in unit.parameters:
            ctype = parameter.ctype.replace("__restrict__", "").replace("__restrict", "").strip()
            if not parameter.is_pointer or not ctype.endswith("*"):
                continue
            if f"__builtin_assume_aligned({parameter.name}," in unit.source:
                continue
            name = parameter.name
            lines.append(f"{name} = static_cast<{ctype}>(__builtin_assume_aligned({name}, 64));")
        if lines:
            at = unit.body.start_byte + 1
            source = unit.edited(Edit(at, at, "\n" + "\n".join(lines)))
            yield Rewrite(self.name, "assume 64-byte aligned tensors", source)

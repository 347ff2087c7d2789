"""Memory traffic of single accesses: prefetch and streaming stores."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from agent.transform.dataflow import declarations, subscripts, type_of, unit_stride, writes
from agent.transform.dependence import carried
from agent.transform.loops import (
    Loop,
    contents,
    has_loops,
    loops,
    pragma_text,
    replace_loop,
)
from agent.transform.rewrite import Rewrite
from agent.transform.rules.parallel import include
from agent.transform.syntax import Edit, Unit
from evaluator.tunables import Tunable, with_tunable


class Prefetch:
    """Fetch what an inner loop will read some iterations later."""

    name = "prefetch"
    summary = "`__builtin_prefetch` of an array a tunable distance ahead"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """One per array that an innermost loop walks; indirect accesses first."""
        for loop in loops(unit):
            if has_loops(loop.body) or loop.is_lanes:
                continue
            seen: dict[str, Node] = {}
            for node in subscripts(unit, loop.body):
                text = unit.text(node)
                moving = unit_stride(unit, node, loop.var)
                local = {x.name for x in declarations(unit, loop.body)}
                if moving is not None and not local & set(re.findall(r"\w+", text)):
                    seen.setdefault(text, node)
            for text, node in sorted(seen.items(), key=lambda kv: kv[0].count("["), reverse=True):
                distance = unit.fresh("DISTANCE")
                ahead = unit.render(node, {loop.var: f"({loop.var} + {distance})"})
                at = loop.body.start_byte + 1
                guard = ""
                if text.count("[") > 1:  # an index is read: it must exist
                    guard = f"if ({loop.var} + {distance} < {loop.upper}) "
                source = unit.edited(Edit(at, at, f"\n{guard}__builtin_prefetch(&{ahead});"))
                tunable = Tunable(distance, 64, (16, 32, 64, 128, 256))
                what = f"prefetch {text} (line {unit.line(loop.node)})"
                yield Rewrite(self.name, what, with_tunable(source, tunable))


class StreamingStores:
    """Write a float array past the caches: one line at a time, with non-temporal stores."""

    name = "streaming-stores"
    summary = "non-temporal stores for a contiguous float output that is not read again soon"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost loops that store one element per iteration."""
        for loop in loops(unit):
            if has_loops(loop.body) or loop.step != "1" or loop.is_lanes:
                continue
            if "omp parallel" in pragma_text(unit, loop) or "omp for" in pragma_text(unit, loop):
                continue
            found = carried(unit, loop)
            if not found.independent or found.reductions or found.private:
                continue
            stores = [w for w in writes(unit, loop.body) if w.element]
            if len(stores) != 1 or stores[0].operator != "=" or stores[0].target is None:
                continue
            target, name = stores[0].target, stores[0].name
            kind = type_of(unit, name) or ""
            plain = re.sub(r"__restrict__|\*|\s", "", kind)
            if plain != "float" or not unit_stride(unit, target, loop.var):
                continue
            if len(subscripts(unit, loop.body, name)) == 1:
                yield self._stream(unit, loop, target)

    def _stream(self, unit: Unit, loop: Loop, target: Node) -> Rewrite:
        line, lane = unit.fresh("line"), unit.fresh("lane")
        body = unit.data[loop.body.start_byte : loop.body.end_byte]
        offset = loop.body.start_byte
        stored = (
            body[: target.start_byte - offset] + b"STORED" + body[target.end_byte - offset :]
        ).decode()
        lanes = re.sub(rf"\b{re.escape(loop.var)}\b", f"({loop.var} + {lane})", stored)
        lanes = lanes.replace("STORED", f"{line}[{lane}]")
        place, var, upper = unit.text(target), loop.var, f"({loop.upper})"
        stores = "\n".join(
            f"_mm_stream_ps(&{place} + {4 * i}, _mm_load_ps({line} + {4 * i}));" for i in range(4)
        )
        text = (
            f"{{\n{loop.ctype} {var} = {loop.lower};\n"
            f"for (; {var} < {upper} && reinterpret_cast<uintptr_t>(&{place}) % 64 != 0; ++{var}) "
            f"{{\n{contents(unit, loop)}\n}}\n"
            f"for (; {var} + 16 <= {upper}; {var} += 16) {{\nalignas(64) float {line}[16];\n"
            f"#pragma omp simd\nfor (int {lane} = 0; {lane} < 16; ++{lane}) {lanes}\n{stores}\n}}\n"
            f"for (; {var} < {upper}; ++{var}) {{\n{contents(unit, loop)}\n}}\n_mm_sfence();\n}}"
        )
        edits = [*include(unit, "immintrin.h"), replace_loop(loop, text)]
        what = f"stream {place} past the caches (line {unit.line(loop.node)})"
        return Rewrite(self.name, what, unit.edited(*edits))

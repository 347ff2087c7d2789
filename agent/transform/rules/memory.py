"""Memory traffic: prefetch, streaming stores, scratch that lives across calls, fewer copies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from agent.transform.dataflow import (
    carried,
    declarations,
    subscripts,
    type_of,
    unit_stride,
    writes,
)
from agent.transform.loops import (
    Loop,
    contents,
    directly_inside,
    has_loops,
    inner_loops,
    loops,
    only_statement,
    pragma_text,
    replace_loop,
)
from agent.transform.rewrite import Rewrite
from agent.transform.rules.parallel import include
from agent.transform.syntax import Edit, Unit, field, statements, walk
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


class ThreadLocalScratch:
    """Keep a scratch vector from call to call (and row to row) instead of allocating it anew."""

    name = "thread-local-scratch"
    summary = "scratch vectors become thread_local: no allocation, no fresh pages per call"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """One per `std::vector<T> name(size);` or `(size, value);`."""
        for node in walk(unit.body):
            match = re.fullmatch(
                r"(std::vector<[\w:]+>)\s+(\w+)\s*[({](?P<size>[^,{}]+?)(,\s*(?P<value>[^,]+))?[)}];",
                unit.text(node) if node.type == "declaration" else "",
            )
            if match is None or "thread_local" in match[0]:
                continue
            kind, name = match[1], match[2]
            fill = f"{name}.assign({match['size']}, {match['value']});"
            grow = f"if (static_cast<int64_t>({name}.size()) < {match['size']}) {{\n"
            grow += f"{name}.resize({match['size']});\n}}"
            text = f"static thread_local {kind} {name};\n{fill if match['value'] else grow}"
            source = unit.edited(Edit(node.start_byte, node.end_byte, text))
            yield Rewrite(self.name, f"keep scratch {name} (line {unit.line(node)})", source)


class SwapInsteadOfCopy:
    """Exchange two buffers at the end of a step instead of copying one into the other."""

    name = "swap-buffers"
    summary = "a copy loop (or memcpy) between two buffers per time step becomes a pointer swap"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Steps that end with a whole copy `a[i] = b[i]`."""
        for step in loops(unit):
            inner = directly_inside(unit, step)
            if len(inner) < 2 or carried(unit, step).independent and False:
                continue
            last = [s for s in statements(step.body) if s.type != "comment"][-1]
            copy = next((x for x in inner if x.node == last), None)
            names = _copied(unit, copy) if copy is not None else None
            if copy is None or names is None:
                continue
            yield from self._swap(unit, step, copy, *names)

    def _swap(self, unit: Unit, step: Loop, copy: Loop, to: str, source: str) -> Iterator[Rewrite]:
        kinds = [type_of(unit, n) or "" for n in (to, source)]
        element = re.sub(r"__restrict__|\*|const|std::vector<|>|\s", "", kinds[0])
        if element not in ("float", "double", "int", "int32_t", "int64_t"):
            return
        first, second = unit.fresh(f"{to}_now"), unit.fresh(f"{source}_next")
        data = [f"{n}.data()" if "vector" in k else n for n, k in zip((to, source), kinds, strict=True)]
        edits = [
            Edit(
                step.start, step.start,
                f"{element}* {first} = {data[0]};\n{element}* {second} = {data[1]};\n",
            ),
            Edit(copy.start, copy.node.end_byte,
                 f"{element}* const {first}_old = {first};\n{first} = {second};\n"
                 f"{second} = {first}_old;"),
            Edit(step.node.end_byte, step.node.end_byte,
                 f"\nif ({first} != {data[0]}) "
                 + _plain_copy(unit, copy, {to: data[0], source: first})),
        ]  # fmt: skip
        for node in _uses(unit, step, copy, (to, source)):
            new = first if unit.text(node) == to else second
            edits.append(Edit(node.start_byte, node.end_byte, new))
        what = f"swap {to} and {source} instead of copying (line {unit.line(copy.node)})"
        yield Rewrite(self.name, what, unit.edited(*edits))


def _uses(unit: Unit, step: Loop, copy: Loop, names: tuple[str, str]) -> list[Node]:
    from agent.transform.syntax import identifiers

    return [
        n
        for n in identifiers(step.body)
        if unit.text(n) in names
        and not copy.start <= n.start_byte < copy.node.end_byte
    ]


def _plain_copy(unit: Unit, copy: Loop, names: dict[str, str]) -> str:
    return "{\n" + unit.render(copy.node, names) + "\n}"


def _copied(unit: Unit, copy: Loop) -> tuple[str, str] | None:
    """(destination, source) if a loop nest does nothing but copy whole arrays elementwise."""
    at = copy
    while (inner := only_statement(unit, at)) is not None:
        at = inner
    if inner_loops(unit, at):
        return None
    work = [s for s in statements(at.body) if s.type not in ("comment", "preproc_call")]
    if len(work) != 1 or work[0].type != "expression_statement" or not work[0].children:
        return None
    node = work[0].children[0]
    if node.type != "assignment_expression" or unit.text(field(node, "operator")) != "=":
        return None
    left, right = field(node, "left"), field(node, "right")
    if left.type != "subscript_expression" or right.type != "subscript_expression":
        return None
    a, b = unit.text(left), unit.text(right)
    names = (a[: a.index("[")].strip(), b[: b.index("[")].strip())
    same = re.sub(r"\s", "", a[a.index("[") :]) == re.sub(r"\s", "", b[b.index("[") :])
    return names if same and names[0] != names[1] else None

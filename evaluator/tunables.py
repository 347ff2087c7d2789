"""Tunables and compiler flags that a kernel source declares in comments, for every backend.

One tunable per line, and one line of flags (more lines add up)::

    // tunable: TILE = 64 in [16, 32, 64, 128]
    // flags: -ffast-math -mprefer-vector-width=512

In Python sources (`triton`) the comment starts with `#`. A tunable arrives in C++ and CUDA as a
macro `-DTILE=64` and in Triton as a module-level constant or `tl.constexpr` value.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evaluator.errors import SourceError

ALLOWED_FLAGS: tuple[str, ...] = (
    "-O2",
    "-O3",
    "-Ofast",
    "-ffast-math",
    "-fno-math-errno",
    "-fassociative-math",
    "-freciprocal-math",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    "-ffinite-math-only",
    "-fno-finite-math-only",
    "-ffp-contract=fast",
    "-ffp-contract=off",
    "-funroll-loops",
    "-fno-tree-vectorize",
    "-fvect-cost-model=unlimited",
    "-fvect-cost-model=dynamic",
    "-fprefetch-loop-arrays",
    "-fno-semantic-interposition",
    "-falign-loops=32",
    "-falign-loops=64",
    "-fno-strict-aliasing",
    "-ftree-loop-distribution",
    "-floop-interchange",
    "-floop-unroll-and-jam",
    "-mprefer-vector-width=128",
    "-mprefer-vector-width=256",
    "-mprefer-vector-width=512",
)
"""Flags a source may ask for; none of them names a file, loads code or changes the ABI."""

CUDA_FLAGS: tuple[str, ...] = (
    "-use_fast_math",
    "-ftz=true",
    "-prec-div=false",
    "-prec-sqrt=false",
    "-fmad=false",
    "-extra-device-vectorization",
    *(f"-maxrregcount={count}" for count in (32, 40, 48, 64, 80, 96, 128, 168, 255)),
)
"""The same for CUDA sources; nvcc takes them."""

_DECLARATION = re.compile(r"^[ \t]*(?P<mark>//|#)[ \t]*(?P<kind>tunable|flags):(?P<rest>.*)$")
_TUNABLE = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<default>-?\d+)\s+in\s+\[(?P<choices>.*)\]")


@dataclass(frozen=True)
class Tunable:
    """A number that the `tune` operator may change.

    Attributes:
        name: C identifier; the macro's name.
        default: Value when nothing overrides it; one of `choices`.
        choices: Every value it may take, in declared order, without repeats.
    """

    name: str
    default: int
    choices: tuple[int, ...]

    def __str__(self) -> str:
        choices = ", ".join(map(str, self.choices))
        return f"tunable: {self.name} = {self.default} in [{choices}]"


def declared(source: str) -> tuple[Tunable, ...]:
    """The tunables of a source, in order of declaration.

    Raises:
        SourceError: A declaration is malformed, its default is not among its choices, a choice
            repeats, or a name is declared twice. The message names the line.
    """
    found: dict[str, Tunable] = {}
    for number, rest in _lines(source, "tunable"):
        tunable = _parse(rest, number)
        if tunable.name in found:
            raise SourceError(f"line {number}: tunable {tunable.name!r} is declared twice")
        found[tunable.name] = tunable
    return tuple(found.values())


def allowed_flags(backend: str) -> tuple[str, ...]:
    """The flags that a source of that language may ask for."""
    return {"cpp": ALLOWED_FLAGS, "cuda": CUDA_FLAGS}.get(backend, ())


def flags(source: str, backend: str = "cpp") -> tuple[str, ...]:
    """The compiler flags a source asks for, in order, without repeats.

    Raises:
        SourceError: A flag is not in `allowed_flags`; the message names the line and the nearest
            allowed flag.
    """
    wanted: dict[str, None] = {}
    for number, rest in _lines(source, "flags"):
        for flag in rest.split():
            _check_flag(flag, f"line {number}: ", allowed_flags(backend))
            wanted[flag] = None
    return tuple(wanted)


def validate(source: str, values: Mapping[str, int]) -> dict[str, int]:
    """The complete binding of a source's tunables: declared defaults overridden by `values`.

    Raises:
        SourceError: A declaration is wrong, `values` names a tunable that the source does not
            declare, or a value is not among its choices.
    """
    tunables = {t.name: t for t in declared(source)}
    for name, value in values.items():
        if name not in tunables:
            near = difflib.get_close_matches(name, tunables, n=1)
            known = ", ".join(tunables) or "none"
            hint = f"did you mean {near[0]!r}?" if near else f"declared: {known}"
            raise SourceError(f"the source declares no tunable {name!r}; {hint}")
        if value not in tunables[name].choices:
            choices = ", ".join(map(str, tunables[name].choices))
            raise SourceError(f"tunable {name!r} cannot be {value}; choose one of {choices}")
    return {t.name: values.get(t.name, t.default) for t in tunables.values()}


def macros(binding: Mapping[str, int]) -> tuple[str, ...]:
    """Compiler arguments that define every tunable of a binding: `-DTILE=64`."""
    return tuple(f"-D{name}={value}" for name, value in binding.items())


def with_flags(source: str, wanted: Iterable[str]) -> str:
    """The source with its flags lines replaced by one that asks for `wanted` (none if empty).

    The line stays where the first flags line was, or becomes the first line of the source.

    Raises:
        SourceError: A flag is not in `ALLOWED_FLAGS`.
    """
    names = tuple(dict.fromkeys(wanted))
    for flag in names:
        _check_flag(flag, "")
    kept: list[str] = []
    place, mark = None, comment_mark(source)
    for line in source.split("\n"):
        match = _DECLARATION.match(line)
        if match is not None and match["kind"] == "flags":
            if place is None:
                place, mark = len(kept), match["mark"]
            continue
        kept.append(line)
    if names:
        kept.insert(place or 0, f"{mark} flags: {' '.join(names)}")
    return "\n".join(kept)


def with_tunable(source: str, tunable: Tunable) -> str:
    """The source with one more declaration, after the leading comment lines that declare things.

    Raises:
        SourceError: The source already declares a tunable of that name.
    """
    if tunable.name in {t.name for t in declared(source)}:
        raise SourceError(f"tunable {tunable.name!r} is declared twice")
    lines = source.split("\n")
    place = 0
    while place < len(lines) and _DECLARATION.match(lines[place]):
        place += 1
    lines.insert(place, f"{comment_mark(source)} {tunable}")
    return "\n".join(lines)


def with_values(source: str, values: Mapping[str, int]) -> str:
    """The source with its declared defaults replaced, so that it needs no values beside it.

    Raises:
        SourceError: As `validate`.
    """
    binding = validate(source, values)
    lines = source.split("\n")
    for number, _ in _lines(source, "tunable"):
        match = _TUNABLE.search(lines[number - 1])
        if match is not None and match["name"] in binding:
            start, end = match.span("default")
            line = lines[number - 1]
            lines[number - 1] = f"{line[:start]}{binding[match['name']]}{line[end:]}"
    return "\n".join(lines)


def comment_mark(source: str) -> str:
    """`#` for a Python source, `//` for a C++ or CUDA source."""
    return "#" if re.search(r"^(import|from|def|@)\b", source, re.MULTILINE) else "//"


def _lines(source: str, kind: str) -> list[tuple[int, str]]:
    if f"{kind}:" not in source:
        return []
    numbered = enumerate(source.split("\n"), start=1)
    matches = ((number, _DECLARATION.match(line.rstrip("\r"))) for number, line in numbered)
    return [(n, m["rest"].strip()) for n, m in matches if m is not None and m["kind"] == kind]


def _parse(text: str, number: int) -> Tunable:
    match = _TUNABLE.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        choices = tuple(int(part) for part in match["choices"].split(","))
    except ValueError:
        raise SourceError(
            f"line {number}: cannot read tunable {text!r}; write `tunable: TILE = 64 in [32, 64]`"
        ) from None
    name, default = match["name"], int(match["default"])
    if len(set(choices)) != len(choices):
        raise SourceError(f"line {number}: tunable {name!r} repeats a choice")
    if default not in choices:
        raise SourceError(
            f"line {number}: default {default} of tunable {name!r} is not one of its choices"
        )
    return Tunable(name, default, choices)


def _check_flag(flag: str, where: str, allowed: tuple[str, ...] = ALLOWED_FLAGS) -> None:
    if flag in allowed:
        return
    near = difflib.get_close_matches(flag, allowed, n=1, cutoff=0.5)
    hint = f"the nearest allowed is {near[0]}" if near else f"allowed: {' '.join(allowed)}"
    if not allowed:
        hint = "sources of this language have no compiler flags"
    raise SourceError(f"{where}compiler flag {flag!r} is not allowed; {hint}")

"""What AddressSanitizer and UBSan said about a run, in words a kernel author can act on.

Reports are text that the untrusted process printed: a kernel that forges one incriminates itself,
and a kernel that suppresses one is caught by guard pages, or not at all. A help to honest authors
and against careless rewrites, not a security boundary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evaluator.backends.variants import SOURCE_NAME
from evaluator.evaluation import Evidence
from evaluator.rules import Rule

HARMLESS = ("memcpy-param-overlap", "strcpy-param-overlap")
"""What AddressSanitizer reports although no foreign memory is touched."""
RESOURCES = ("stack-overflow", "out-of-memory", "allocation-size-too-big", "rss-limit-exceeded")
"""What may be due to the instrumentation alone: redzones and shadow take room."""
ADDRESS_OPTIONS = (
    "halt_on_error=0", "suppress_equal_pcs=1", "color=never", "print_legend=0",
    "detect_leaks=0",  # needs ptrace, and a kernel may keep its scratch
    # Mismatched ways of freeing touch no foreign memory, and the C library does not mind.
    "alloc_dealloc_mismatch=0", "new_delete_type_mismatch=0", "detect_odr_violation=0",
    "allocator_may_return_null=1", "quarantine_size_mb=64", "handle_abort=0",
    # Memory nobody has written to is NaN and -1.
    "max_malloc_fill_size=268435456", "malloc_fill_byte=255",
)  # fmt: skip
UNDEFINED_OPTIONS = "halt_on_error=0:print_stacktrace=0:color=never"
STACK = "32M"
"""Of each thread: redzones and unmerged variables need several times the usual room."""
_ERROR = re.compile(r"^==\d+==\s*ERROR: AddressSanitizer: (.*)$", re.MULTILINE)
_RUNTIME = re.compile(rf"^{re.escape(SOURCE_NAME)}:(\d+):\d+: runtime error: (.*)$", re.MULTILINE)
_ACCESS = re.compile(r"^(READ|WRITE) of size (\d+)", re.MULTILINE)
_SIGNAL_ACCESS = re.compile(r"caused by a (READ|WRITE) memory access")
_FRAME = re.compile(rf"^\s+#\d+ 0x[0-9a-f]+ in .+? \S*{re.escape(SOURCE_NAME)}:(\d+)", re.MULTILINE)
_REGION = re.compile(
    r"is located (\d+) bytes (to the right of|to the left of|inside of|\w+) (\d+)-byte region"
)
_BUFFER = re.compile(
    r"^kernelmill: parameter (\d+), (\d+) bytes (behind|before|across)$", re.MULTILINE
)
_WORDS = {"READ": "reads", "WRITE": "writes"}
_SIDES = {"to the right of": "behind", "to the left of": "before", "inside of": "inside",
          "after": "behind", "before": "before"}  # fmt: skip


def environment(memory_bytes: int) -> dict[str, str]:
    """Variables for a sanitized runner; its resident memory is bounded by itself too."""
    bound = f"hard_rss_limit_mb={memory_bytes >> 20}"
    return {
        "ASAN_OPTIONS": ":".join((*ADDRESS_OPTIONS, bound)),
        "UBSAN_OPTIONS": UNDEFINED_OPTIONS,
        "OMP_STACKSIZE": STACK,
    }


@dataclass(frozen=True)
class Fault:
    """One thing a sanitizer found.

    Attributes:
        kind: The sanitizer's name for it, e.g. `heap-buffer-overflow`, `signed integer overflow`.
        message: What happened, where.
        unsafe: Memory was touched that is not the kernel's to touch.
        limits: It may be due to the room that instrumentation takes.
        line: Line of the source, if known.
        details: Machine-readable particulars.
    """

    kind: str
    message: str
    unsafe: bool
    limits: bool = False
    line: int | None = None
    details: Mapping[str, str | int | float | None] | None = None

    def evidence(self, workload: str | None = None) -> Evidence:
        """For the verdict."""
        details = {"kind": self.kind, "line": self.line, **(self.details or {})}
        rule = Rule.SANITIZER if self.unsafe else Rule.UNDEFINED
        return Evidence(str(rule), self.message, workload, details)


def faults(printed: str, source: str, parameters: Sequence[str]) -> list[Fault]:
    """Everything that sanitizers reported, each place once, memory errors first.

    Args:
        printed: What the runner wrote to its outputs.
        source: The candidate's source.
        parameters: Names of the tensors in parameter order.
    """
    lines = source.splitlines()
    found = [*_memory_errors(printed, lines, parameters), *_undefined(printed, lines)]
    unique: dict[tuple[str, int | None], Fault] = {}
    for fault in found:
        unique.setdefault((fault.kind, fault.line), fault)
    return sorted(unique.values(), key=lambda fault: not fault.unsafe)


def _memory_errors(
    printed: str, lines: Sequence[str], parameters: Sequence[str]
) -> Iterator[Fault]:
    starts = list(_ERROR.finditer(printed))
    before = 0
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(printed)
        named = _BUFFER.search(printed, before, start.start())
        yield _memory_error(start[1], printed[start.start() : end], named, lines, parameters)
        before = start.start()


def _memory_error(
    headline: str,
    report: str,
    named: re.Match[str] | None,
    lines: Sequence[str],
    parameters: Sequence[str],
) -> Fault:
    kind = _kind(headline)
    access = _ACCESS.search(report)
    signal = _SIGNAL_ACCESS.search(report)
    frame = _FRAME.search(report)
    line = int(frame[1]) if frame else None
    details: dict[str, str | int | float | None] = {}
    did = kind.replace("-", " ")
    if access:
        did = f"{_WORDS[access[1]]} {access[2]} bytes"
        details |= {"access": access[1].lower(), "bytes": int(access[2])}
    elif signal:
        did = _WORDS[signal[1]]
        details["access"] = signal[1].lower()
    where, place = _place(report, named, parameters)
    details |= place
    message = f"{did}{where} ({kind}){_at(line, lines)}"
    limits = kind in RESOURCES
    return Fault(kind, message, kind not in HARMLESS and not limits, limits, line, details)


def _kind(headline: str) -> str:
    if headline.startswith("attempting double-free"):
        return "double-free"
    if headline.startswith("attempting free"):
        return "bad-free"
    if headline.startswith("requested allocation size"):
        return "allocation-size-too-big"
    return headline.split(" ")[0].rstrip(":")


def _place(
    report: str, named: re.Match[str] | None, parameters: Sequence[str]
) -> tuple[str, dict[str, str | int | float | None]]:
    region = _REGION.search(report)
    if region:
        side = _SIDES.get(region[2], region[2])
        what = f"a block of {region[3]} bytes"
        how = " that was freed" if "freed by thread" in report else ""
        return f" {region[1]} bytes {side} {what}{how}", {"block": int(region[3])}
    if named and int(named[1]) < len(parameters):
        name = parameters[int(named[1])]
        if named[3] == "across":
            return f" that reach {named[2]} bytes past the end of {name}", {"buffer": name}
        end = "the end of " if named[3] == "behind" else ""
        return f" {named[2]} bytes {named[3]} {end}{name}", {"buffer": name}
    return "", {}


def _undefined(printed: str, lines: Sequence[str]) -> Iterator[Fault]:
    for match in _RUNTIME.finditer(printed):
        line, text = int(match[1]), match[2].strip()
        kind = re.split(r":| of | for | within |, ", text)[0][:60]
        yield Fault(kind, f"undefined: {text}{_at(line, lines)}", False, line=line)


def _at(line: int | None, lines: Sequence[str]) -> str:
    if line is None or not 1 <= line <= len(lines):
        return ""
    return f", line {line}: {lines[line - 1].strip()[:120]}"

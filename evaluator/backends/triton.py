"""The `triton` backend: Python modules, cross-compiled inside the sandbox, with or without a GPU.

What is built is what the time workloads launch: every jit function once per specialisation. The
binaries give the profile; what runs, under the interpreter or on a GPU, is the module itself.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from evaluator import gpu_code, python_program, tunables
from evaluator.architectures import Architecture
from evaluator.backends.build import Build, read_output
from evaluator.backends.store import BuildStore
from evaluator.candidate import Candidate
from evaluator.gpu_code import Resources
from evaluator.inside.form import CallForm
from evaluator.problem import Problem
from evaluator.triton_program import PACKAGES, SETTINGS, SOURCE, require_triton, without_comments
from sandbox.provider import Command, Completed, Limits, Mount, Sandbox

LIMITS = Limits(wall_seconds=120.0, memory_bytes=6 << 30, processes=64, output_bytes=256 << 10)
LAYOUT = "1"
LOG_LINES = 40
MOST_BINARIES = 64
MAX_FILE_BYTES = 16 << 20
# The tools come with Triton; ptxas's own report is printed by TRITON_DUMP_PTXAS_LOG.
SCRIPT = """\
cd "$1" || exit 1
"$PYTHON" -m evaluator.inside.triton_compile "$1" || exit 1
for binary in *.cubin; do
    [ -e "$binary" ] && "$CUOBJDUMP" -sass "$binary" >"${binary%.cubin}.sass" 2>/dev/null
done
exit 0
"""


class TritonBackend:
    """Builds candidates; safe to use from several threads.

    Args:
        sandbox: Where compilation runs.
        cache: Folder of builds.
        architecture: What to compile for.

    Raises:
        ToolchainError: Triton is not installed.
    """

    name = "triton"
    suffix = ".py"

    def __init__(self, sandbox: Sandbox, cache: Path, architecture: Architecture) -> None:
        require_triton()
        self._sandbox = sandbox
        self._architecture = architecture
        self._store = BuildStore(cache / "triton", SOURCE)
        self._version = importlib.metadata.version("triton")

    def build(self, candidate: Candidate, problem: Problem) -> Build:
        """Compile for the architecture, or take the result from the cache.

        Raises:
            SourceError: A tunable declaration in the source is wrong.
            SandboxError: The sandbox failed.
            InfrastructureError: The cache cannot be written.
        """
        values = tunables.validate(candidate.source, candidate.tunables)
        executed = without_comments(candidate.source)
        request = json.dumps(self._request(problem, values), sort_keys=True)
        place = self._store.place(
            [LAYOUT, self._version, json.dumps(dict(SETTINGS), sort_keys=True), request, executed]
        )
        if (stored := self._store.load(place)) is not None:
            return stored
        with tempfile.TemporaryDirectory(prefix="kernelmill-build-") as name:
            work = Path(name)
            (work / SOURCE).write_text(executed, encoding="utf-8")
            (work / "request.json").write_text(request)
            done = self._compile(work)
            build = self._read(place, work, done, executed, values)
        if not done.timed_out and not done.exit.out_of_memory:  # may be this machine's load
            self._store.keep(place, build, {SOURCE: executed.encode()})
        return build

    def _request(self, problem: Problem, values: Mapping[str, int]) -> dict[str, object]:
        what = self._architecture
        return {
            "tunables": dict(values),
            "form": CallForm.of(problem).document(),
            "target": (what.maker, what.number, what.lanes),
            "calls": [problem.received(w) for w in problem.time_workloads],
        }

    def _compile(self, work: Path) -> Completed:
        tools = Path(str(_package_folder()), "backends", "nvidia", "bin")
        environment = {
            **python_program.environment(), **SETTINGS, "PYTHON": sys.executable,
            "CUOBJDUMP": str(tools / "cuobjdump"), "TRITON_DUMP_PTXAS_LOG": "1", "LC_ALL": "C",
        }  # fmt: skip
        mounts = (*python_program.mounts(*PACKAGES), Mount(work, "/build", writable=True))
        argv = ("/bin/sh", "-c", SCRIPT, "build", "/build")
        return self._sandbox.run(Command(argv, mounts, environment, limits=LIMITS))

    def _read(
        self, place: Path, work: Path, done: Completed, executed: str, values: Mapping[str, int]
    ) -> Build:
        """Everything read here was written by the candidate's process: a description, no proof."""
        report = _report(work)
        log = _trimmed(done.output)
        failure = _failure(done, report)
        if failure is not None:
            return Build(
                None, log, failure=failure, timed_out=done.timed_out, seconds=done.seconds,
                lacks_kernel=report.get("lacks_kernel") is True,
            )  # fmt: skip
        listed = report["binaries"]
        count = min(len(listed), MOST_BINARIES) if isinstance(listed, list) else 0
        needs, mix = _artefacts(work, count, done.output)
        profile = gpu_code.profile(needs, mix) | _launched(listed)
        binaries = [
            read_output(work / f"{number}.{kind}", MAX_FILE_BYTES) or b""
            for number in range(count)
            for kind in ("cubin", "hsaco")
        ]
        return Build(
            place / SOURCE, "", _identity(executed, values, binaries), profile, done.seconds
        )


def _package_folder() -> Path:
    import importlib.util

    spec = importlib.util.find_spec("triton")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _report(work: Path) -> dict[str, object]:
    try:
        found = json.loads(read_output(work / "report.json", MAX_FILE_BYTES) or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _failure(done: Completed, report: Mapping[str, object]) -> str | None:
    if done.timed_out:
        return f"the compiler did not finish within {LIMITS.wall_seconds:g} s"
    if done.exit.out_of_memory:
        return f"the compiler needed more than {LIMITS.memory_bytes >> 20} MiB"
    if report.get("lacks_kernel"):
        return f"no function `kernel`; expected: {report.get('error')}"
    if report.get("error"):
        return str(report["error"])
    if not report.get("binaries"):
        return "the compiler ended without a result"
    return None


def _artefacts(work: Path, count: int, printed: str) -> tuple[list[Resources], Counter[str]]:
    """Needs of every kernel and the instructions of all."""
    mix: Counter[str] = Counter()
    needs = gpu_code.ptxas(printed)
    for number in range(count):
        mix += gpu_code.sass_mix(_text(work / f"{number}.sass"))
        if assembly := _text(work / f"{number}.amdgcn"):
            mix += gpu_code.gcn_mix(assembly)
            needs.append(gpu_code.amdgcn(assembly))
    return needs, mix


def _launched(listed: object) -> dict[str, int | str]:
    """Warps and pipeline stages of the largest kernel, launches of one call of each workload, and
    shared memory, part of which Triton asks for at launch."""
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []

    def largest(key: str) -> int:
        return max((int(row.get(key, 0)) for row in rows), default=0)

    return {
        "warps": largest("warps"),
        "stages": largest("stages"),
        "launches": sum(int(row.get("launches", 0)) for row in rows),
        "shared_bytes": largest("shared"),
    }


def _identity(executed: str, values: Mapping[str, int], binaries: list[bytes]) -> str:
    """Two equal ones are the same program: machine code, and the text that launches it."""
    digest = hashlib.sha256(executed.encode())
    used = {n: v for n, v in values.items() if re.search(rf"\b{n}\b", executed)}
    digest.update(json.dumps(used, sort_keys=True).encode())
    for binary in binaries:
        digest.update(hashlib.sha256(binary).digest())
    return digest.hexdigest()


def _text(path: Path) -> str:
    return (read_output(path, MAX_FILE_BYTES) or b"").decode(errors="replace")


def _trimmed(output: str) -> str:
    lines = [line for line in output.splitlines() if not line.startswith("ptxas info")]
    return "\n".join(lines[-LOG_LINES:])

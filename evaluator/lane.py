"""A lane: one implementation under measurement, with its own runner and its own outputs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evaluator.arena import InputArena, OutputArena
from evaluator.problem import Problem
from sandbox.client import RunnerClient, RunnerDiedError, RunnerTimeoutError, Window
from sandbox.layout import Layout
from sandbox.provider import Command, Limits, Mount, Sandbox, Session

LOAD_SECONDS = 20.0
SPIN_COUNT = "50000"  # about 0.2 ms: spins from call to call, asleep soon after the last one
MEMORY_BYTES = 8 << 30


@dataclass(frozen=True)
class Program:
    """What a lane runs: a runner's argument vector (with `{inputs}` and `{outputs}` to fill in),
    the LOAD message's payload, and what the sandbox must show."""

    argv: tuple[str, ...]
    load: str
    mounts: tuple[Mount, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    load_seconds: float = LOAD_SECONDS


def native_program(runner: Path, shared_object: Path, entry: str) -> Program:
    """A compiled kernel under the C++ runner."""
    return Program(
        argv=("/kernelmill/runner", "{inputs}", "{outputs}", entry),
        load="/kernelmill/object/" + shared_object.name,
        mounts=(Mount(runner, "/kernelmill/runner"),
                Mount(shared_object.parent, "/kernelmill/object")),
        env=thread_settings(),
    )  # fmt: skip


def thread_settings() -> dict[str, str]:
    """The OpenMP environment of every measured program: one thread per core, bound, short spinning.

    Bound to explicit places, because a woken worker is otherwise often put on its master's core and
    stays there until the next scheduler tick; `true` alone finds no topology inside a sandbox.
    """
    cores = sorted(os.sched_getaffinity(0))
    return {
        "OMP_NUM_THREADS": str(len(cores)),
        "OMP_DYNAMIC": "false",
        "OMP_PROC_BIND": "true",
        "OMP_PLACES": ",".join(f"{{{core}}}" for core in cores),
        "GOMP_SPINCOUNT": SPIN_COUNT,
    }


class Lane:
    """Runs one program over the slots of an input arena. Frozen except inside `window`."""

    def __init__(
        self, label: str, program: Program, problem: Problem, inputs: InputArena, sandbox: Sandbox
    ) -> None:
        self.label = label
        self._inputs = inputs
        self.outputs = OutputArena(problem)
        self.outputs.region.ensure(4096)
        inputs.region.ensure(4096)
        names = {"{inputs}": "/kernelmill/inputs", "{outputs}": "/kernelmill/outputs"}
        mounts = (
            *program.mounts,
            Mount(inputs.region.path, "/kernelmill/inputs"),
            Mount(self.outputs.region.path, "/kernelmill/outputs", writable=True),
        )
        command = Command(
            tuple(names.get(a, a) for a in program.argv), mounts, program.env,
            limits=Limits(memory_bytes=MEMORY_BYTES, processes=512),
        )  # fmt: skip
        self._session: Session = sandbox.start(command)
        self._client = RunnerClient(self._session)
        self._program = program
        self._layout: Layout | None = None

    def load(self) -> None:
        """Load the program; no input is in memory yet.

        Raises:
            RunnerRefusedError, RunnerDiedError, RunnerTimeoutError: See `sandbox.client`.
        """
        self._client.load(self._program.load, self._program.load_seconds)

    def select(self, payload: str, timeout: float = LOAD_SECONDS) -> None:
        """Send another LOAD (a runner that serves several variants)."""
        self._client.load(payload, timeout)

    def bind(self) -> None:
        """Take over the input arena's current layout."""
        layout, workload = self._inputs.layout, self._inputs.workload
        assert layout is not None
        assert workload is not None
        if layout is self._layout:
            return
        self.outputs.arrange(layout, workload)
        self._client.bind(layout)
        self._layout = layout

    def window(self, order: Sequence[int], timeout: float) -> Window:
        """One watched batch of calls over the given slots."""
        return self._client.call(order, timeout)

    def drain(self) -> None:
        """Let the runner's threads go to sleep before new inputs are written."""
        self._client.drain()

    def cpu_seconds(self) -> float:
        """CPU time of the whole sandbox so far."""
        return self._session.cpu_seconds()

    def printed(self) -> str:
        """What the program printed."""
        return self._session.output()

    def close(self) -> None:
        """Kill the runner and free its outputs."""
        with contextlib.suppress(RunnerDiedError, RunnerTimeoutError):
            self._client.close()
        self.outputs.close()

"""A runner whose entry point is a PyTorch formulation: the baselines, under the kernels' protocol.

Runs inside the sandbox as `python -m evaluator.torch_runner SYMBOL rw:FILE ro:FILE ...` and speaks
the messages of `sandbox/runner/runner.cpp`. LOAD names a variant as JSON: `{"problem": folder,
"variant": name, "compile": bool, "store": bool}`; with `store` returned tensors are copied into the
output buffers (to be judged), without it they are dropped, as a user's program would. Or it names
a candidate that is a PyTorch module: `{"problem": folder, "candidate": file}`.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from evaluator.catalogue import load
from evaluator.kernelbench.model import adopted
from evaluator.problem import Problem, arguments_by_name, as_outputs
from sandbox.client import BIND, CALL, FAILED, LOAD, OK

POPULATE_READ, POPULATE_WRITE = 22, 23
"""Of madvise(2), from Linux 5.14 on; the module `mmap` does not name them."""


@dataclass
class Group:
    """Bound arguments of one group: names to tensors per slot, and the scalars; and what is loaded
    with all of its arguments, per slot."""

    slots: list[dict[str, torch.Tensor]] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    calls: list[Callable[[], Any]] = field(default_factory=list)


class TorchRunner:
    """Holds the loaded variant and the bound buffers.

    Attributes:
        strange: What is loaded is a candidate, not the problem author's code.
    """

    def __init__(self, regions: list[mmap.mmap]) -> None:
        self._regions = regions
        self.strange = False
        self._problem: Problem | None = None
        self._run: Callable[..., Any] | None = None
        self._in_place = False
        self._store = False
        self._compiled: dict[str, Callable[..., Any]] = {}
        self._groups: list[Group] = []

    def load(self, payload: bytes) -> None:
        """Choose a variant."""
        request = json.loads(payload)
        problem = load(request["problem"])
        self._problem = problem
        if "candidate" in request:  # a module of a stranger's: its answers are always stored
            self._run, self._store = adopted(problem, Path(request["candidate"])), True
            self.strange = True
        else:
            self._choose(problem, request)
        self._prepare()

    def _choose(self, problem: Problem, request: dict[str, Any]) -> None:
        chosen = {v.name: v.run for v in problem.variants}.get(request["variant"])
        run = chosen or problem.reference
        names = run.__code__.co_varnames[: run.__code__.co_argcount]
        self._in_place = any(t.name in names for t in problem.outputs)
        if request["compile"]:  # keep what was compiled: it is loaded again without `store`
            run = self._compiled.setdefault(request["variant"], torch.compile(run))
        self._run = run
        self._store = request["store"]

    def bind(self, payload: bytes) -> None:
        """Make tensors over the buffers."""
        assert self._problem is not None
        words = list(struct.unpack(f"<{len(payload) // 8}q", payload))
        at = 1
        self._groups = []
        for _ in range(words[0]):
            group, at = self._group(words, at)
            self._groups.append(group)
        self._prepare()

    def call(self, payload: bytes) -> None:
        """Run the variant over slots of a group."""
        words = struct.unpack(f"<{len(payload) // 8}q", payload)
        group = self._groups[words[0]]
        assert self._problem is not None
        with torch.no_grad():
            for slot in words[1:]:
                result = group.calls[slot]()
                if self._store and not self._in_place:
                    for name, value in as_outputs(self._problem, result).items():
                        group.slots[slot][name].copy_(value)

    def _prepare(self) -> None:
        """Find arguments, so that the time of a call is the variant's own."""
        if self._run is None:
            return
        for group in self._groups:
            group.calls = [
                partial(self._run, **arguments_by_name(self._run, {**slot, **group.constants}))
                for slot in group.slots
            ]

    def _group(self, words: list[int], at: int) -> tuple[Group, int]:
        assert self._problem is not None
        problem = self._problem
        integers = words[at + 1 : at + 1 + words[at]]
        at += 1 + words[at]
        floats = [
            struct.unpack("<d", struct.pack("<q", w))[0] for w in words[at + 1 :][: words[at]]
        ]
        at += 1 + words[at]
        dims = dict(zip(problem.dims, integers, strict=False))
        names = [s.name for s in problem.scalars if s.dtype == "int64"]
        group = Group(constants={**dims})
        group.constants |= dict(zip(names, integers[len(dims) :], strict=True))
        names = [s.name for s in problem.scalars if s.dtype == "float"]
        group.constants |= dict(zip(names, floats, strict=True))
        slots, buffers = words[at], words[at + 1]
        at += 2
        for _ in range(slots):
            tensors = {}
            for tensor in problem.tensors:
                region, offset, _span, lead, _nbytes = words[at : at + 5]
                at += 5
                tensors[tensor.name] = _view(
                    self._regions[region], offset + lead, tensor.extents(dims), tensor.dtype
                )
            group.slots.append(tensors)
        assert buffers == len(problem.tensors)
        return group, at


def _view(region: mmap.mmap, offset: int, extents: tuple[int, ...], dtype: str) -> torch.Tensor:
    kind: torch.dtype = getattr(torch, dtype)
    count = 1
    for extent in extents:
        count *= extent
    if count == 0:
        return torch.empty(extents, dtype=kind)
    return torch.frombuffer(region, dtype=kind, count=count, offset=offset).view(extents)


def _map(argument: str) -> mmap.mmap:
    mode, path = argument[:2], argument[3:]
    # Inputs lie on a read-only mount; a private mapping lets torch treat them as ordinary memory.
    descriptor = os.open(path, os.O_RDWR if mode == "rw" else os.O_RDONLY)
    size = max(os.fstat(descriptor).st_size, mmap.PAGESIZE)
    kind = mmap.MAP_SHARED if mode == "rw" else mmap.MAP_PRIVATE
    found = mmap.mmap(descriptor, size, flags=kind, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    os.close(descriptor)
    # Kernels get their memory with all pages in place; first touches are no variant's fault either.
    with contextlib.suppress(OSError):
        found.madvise(POPULATE_WRITE if mode == "rw" else POPULATE_READ)
    return found


def _read(channel: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            sys.exit(0)
        data += part
    return data


def main() -> None:
    """Serve the channel until it closes."""
    channel = socket.socket(fileno=int(os.environ["KERNELMILL_CHANNEL"].removeprefix("fd:")))
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    paths = sys.argv[2:]
    runner = TorchRunner([])
    steps = {LOAD: runner.load, BIND: runner.bind, CALL: runner.call}
    while True:
        kind, size = struct.unpack("<II", _read(channel, 8))
        payload = _read(channel, size)
        try:
            if kind == BIND:  # regions may have grown since the last time
                runner._regions = [_map(p) for p in paths]
            steps[kind](payload)
            answer, text = OK, b""
        except Exception as error:  # a variant is the problem author's code: anything may come
            said = f"{type(error).__name__}: {error}"
            if runner.strange and kind == CALL:  # a candidate that raises has crashed
                print(said[:2000], flush=True)
                os._exit(1)
            answer, text = FAILED, said.encode()[:2000]
        channel.sendall(struct.pack("<II", answer, len(text)) + text)


if __name__ == "__main__":
    main()

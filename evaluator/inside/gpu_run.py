"""A runner on a GPU: `python -m evaluator.inside.gpu_run kernel`, inside the sandbox.

LOAD names what to run: `{"kind": "triton", "source": path, "tunables": {...}, "form": ...}`,
`{"kind": "cuda", "object": path, ...}`, `{"kind": "torch", "problem": folder, "variant": name,
"compile": bool, "store": bool}`, or `{"kind": "null"}`. A call is over when the device has done
everything this process gave it.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.gpu.driver import Device, DriverError
from evaluator.inside import gpu_memory, triton_module
from evaluator.inside.form import CallForm, extents
from evaluator.inside.serving import Group, serve
from evaluator.signature import CALL_SYMBOL

if TYPE_CHECKING:
    import torch

Slot = Callable[[], None]
DEFAULT_STREAM = ctypes.c_void_p(0)


class OnGpu:
    """A loaded kernel with its calls; see `serving.Kernel`."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._form: CallForm | None = None
        self._make: Callable[[CallForm, Group, Sequence[int]], Slot] | None = None
        self._groups: list[list[Slot]] = []

    def load(self, payload: bytes) -> None:
        """Load what is named."""
        request = json.loads(payload)
        self._form = CallForm.read(request["form"])
        makers = {"triton": _triton, "cuda": _cuda, "torch": _torch, "null": _null}
        self._make = makers[request["kind"]](request)

    def bind(self, groups: Sequence[Group]) -> None:
        """Prepare the call of every slot."""
        assert self._form is not None
        assert self._make is not None
        self._groups = [[self._make(self._form, g, row) for row in g.slots] for g in groups]

    def call(self, group: int, slots: Sequence[int]) -> None:
        """Call over slots, then wait for the device."""
        calls = self._groups[group]
        try:
            for slot in slots:
                calls[slot]()
            self._device.synchronise()
        except DriverError as error:
            print(f"CUresult {error.code}: {error.name}", file=sys.stderr, flush=True)
            raise


def _tensors(form: CallForm, group: Group, row: Sequence[int]) -> tuple[list[torch.Tensor], Any]:
    values = form.values(group.integers, group.floats)
    shapes = extents(form, values)
    views = [gpu_memory.view(*each) for each in zip(form.tensors, shapes, row, strict=True)]
    return views, values


def _triton(request: dict[str, Any]) -> Callable[[CallForm, Group, Sequence[int]], Slot]:
    _begin_torch()
    kernel = triton_module.load(Path(request["source"]), request["tunables"])

    def make(form: CallForm, group: Group, row: Sequence[int]) -> Slot:
        tensors, values = _tensors(form, group, row)
        arguments = form.arguments(tensors, values)
        return lambda: kernel(*arguments)

    return make


def _cuda(request: dict[str, Any]) -> Callable[[CallForm, Group, Sequence[int]], Slot]:
    entry = ctypes.CDLL(request["object"])[CALL_SYMBOL]
    entry.restype = None

    def make(form: CallForm, group: Group, row: Sequence[int]) -> Slot:
        pointers = (ctypes.c_void_p * len(row))(*row)
        integers = (ctypes.c_int64 * max(1, len(group.integers)))(*group.integers)
        floats = (ctypes.c_double * max(1, len(group.floats)))(*group.floats)
        return lambda: entry(pointers, integers, floats, DEFAULT_STREAM)

    return make


def _torch(request: dict[str, Any]) -> Callable[[CallForm, Group, Sequence[int]], Slot]:
    _begin_torch()
    import torch

    from evaluator.catalogue import load
    from evaluator.problem import arguments_by_name, as_outputs

    problem = load(request["problem"])
    chosen = {v.name: v.run for v in problem.variants}.get(request["variant"])
    plain = chosen or problem.reference
    names = plain.__code__.co_varnames[: plain.__code__.co_argcount]
    in_place = any(t.name in names for t in problem.outputs)
    run: Callable[..., Any] = torch.compile(plain) if request["compile"] else plain

    def make(form: CallForm, group: Group, row: Sequence[int]) -> Slot:
        tensors, values = _tensors(form, group, row)
        named = {t.name: view for t, view in zip(form.tensors, tensors, strict=True)}
        arguments = arguments_by_name(run, {**named, **values})

        def slot() -> None:
            with torch.no_grad():
                result = run(**arguments)
                if request["store"] and not in_place:
                    for name, value in as_outputs(problem, result).items():
                        named[name].copy_(value)

        return slot

    return make


def _null(request: dict[str, Any]) -> Callable[[CallForm, Group, Sequence[int]], Slot]:
    return lambda form, group, row: lambda: None


def _begin_torch() -> None:
    """PyTorch with the context that is there; a CUDA kernel needs none of it."""
    import torch

    torch.cuda.init()  # type: ignore[no-untyped-call]


def main() -> None:
    """Serve the channel until it closes."""
    device = Device()
    serve(OnGpu(device), gpu_memory.DeviceRegions(device))


if __name__ == "__main__":
    main()

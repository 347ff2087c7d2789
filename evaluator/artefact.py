"""Facts read off a built shared object: its identity and its instruction mix."""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from evaluator import hot_loop
from evaluator.errors import InfrastructureError

_FUNCTION = re.compile(r"^[0-9a-f]+ <([^>]+)>:$", re.MULTILINE)
RUNTIME_FUNCTIONS = frozenset(
    {
        "_init", "_fini", "deregister_tm_clones", "register_tm_clones",
        "__do_global_dtors_aux", "frame_dummy", "kernelmill_call",
    }
)  # fmt: skip


def object_hash(shared_object: bytes) -> str:
    """SHA-256 over the whole file: two equal hashes are the same program.

    Parts that are not loaded count too: a program can read its own file. Symbol names and build
    identifiers do not stand in it, the linker leaves them out.

    Raises:
        InfrastructureError: It is not an ELF file.
    """
    try:
        ELFFile(io.BytesIO(shared_object))
    except ELFError as error:
        raise InfrastructureError(f"the compiler's output is not an ELF file: {error}") from error
    return hashlib.sha256(shared_object).hexdigest()


def profile(disassembly: str) -> dict[str, float | int | str]:
    """Instruction mix of the candidate's own functions from `objdump -d --no-show-raw-insn`.

    Counts are static. `vector` names the widest register class used by arithmetic, `hot_loop` is
    the listing of the loop that most likely takes the time.
    """
    counts: Counter[str] = Counter()
    functions = [
        hot_loop.parsed(body)
        for name, body in _functions(disassembly)
        if name not in RUNTIME_FUNCTIONS and not name.endswith("@plt")
    ]
    for rows in functions:
        for _, mnemonic, operands in rows:
            counts["instructions"] += 1
            counts[_register_class(mnemonic, operands)] += 1
            if mnemonic == "call":
                counts["calls"] += 1
                counts["parallel_regions"] += "GOMP_parallel" in operands
                counts["libmvec_calls"] += "_ZGV" in operands
    widest = next((c for c in ("amx", "avx512", "avx2", "sse") if counts[c]), "scalar")
    keys = ("instructions", "scalar", "sse", "avx2", "avx512", "amx", "gather", "nontemporal",
            "calls", "parallel_regions", "libmvec_calls")  # fmt: skip
    loop = hot_loop.listing(hot_loop.hottest(functions))
    return {
        **{key: counts[key] for key in keys},
        "vector": widest,
        **({"hot_loop": loop} if loop else {}),
    }


def _functions(disassembly: str) -> list[tuple[str, str]]:
    parts = _FUNCTION.split(disassembly)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _register_class(mnemonic: str, operands: str) -> str:
    if mnemonic.startswith("t") and "tmm" in operands:
        return "amx"
    if mnemonic.startswith("vgather") or mnemonic.startswith("vpgather"):
        return "gather"
    if "movnt" in mnemonic:
        return "nontemporal"
    if "%zmm" in operands:
        return "avx512"
    if "%ymm" in operands:
        return "avx2"
    if "%xmm" in operands and mnemonic.endswith(("ps", "pd", "dqa", "dqu")):
        return "sse"
    return "scalar"

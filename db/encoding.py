"""Compact and exact encodings: texts and findings as zstd frames, rounds as shuffled doubles.

A million candidates bring some five million comparisons, each with tens of rounds of two timings.
Timings are doubles whose low bits are noise, so only sign, exponent and leading bits compress:
the bytes of all timings are stored plane by plane (all first bytes, all second bytes, ...), which
puts the compressible ones side by side, and then go through zstd.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import zstandard

from evaluator.evaluation import Round

LEVEL = 3
_FINDINGS_V1 = (
    b'{"profile": {"size": 1024, "instructions": 100, "sse": 0, "avx2": 10, "avx512": 0, '
    b'"build_log": "", "evidence": [{"rule": "numeric-policy", "message": "the first wrong element '
    b'is at index", "workload": "1024x4096", "details": {"index": 0, "expected": 0.0, "got": 0.0, '
    b'"limit": 0.0, "message": "error: expected \';\' before", "rule": "build"}}], "checks": '
    b'[{"workload": "64x64", "passed": false, "max_error": null}, {"workload": "1x1", "passed": '
    b'true, "max_error": 0.0}], "stages": [{"name": "screen", "seconds": 0.0}, {"name": "build", '
    b'"seconds": 0.2}, {"name": "verify", "seconds": 0.1}, {"name": "race", "seconds": 0.1}, '
    b'{"name": "time", "seconds": 0.1}, {"name": "confirm", "seconds": 0.3}], "speedups": '
    b'[{"other": "eager", "interval": {"estimate": 1.0, "low": 0.9, "high": 1.1}, "confirmed": '
    b'false, "distinguishable": false}, {"other": "incumbent", "interval": {"estimate": 1.0, "low":'
    b' 0.9, "high": 1.1}, "confirmed": true, "distinguishable": true}, {"other": "seed", '
    b'"interval": {"estimate": 1.'
)
"""What findings look like: a prefix for zstd to refer to. Stored data depends on it: never edit,
add a version."""


def digest_of(data: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()


def compress(data: bytes, base: bytes | None = None) -> bytes:
    """One zstd frame, which may refer to the content of `base`."""
    if not base:
        return _compressor().compress(data)
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=_prefix(base)).compress(data)


def decompress(frame: bytes, base: bytes | None = None) -> bytes:
    """The content of a frame made by `compress` with the same `base`."""
    if not base:
        return _decompressor().decompress(frame)
    return zstandard.ZstdDecompressor(dict_data=_prefix(base)).decompress(frame)


def text_bytes(text: str) -> bytes:
    """UTF-8 that also takes lone surrogates: a candidate's source may be any Python string."""
    return text.encode("utf-8", "surrogatepass")


def bytes_text(data: bytes) -> str:
    """The inverse of `text_bytes`."""
    return data.decode("utf-8", "surrogatepass")


def pack_json(value: Any) -> bytes:
    """JSON (floats exact, NaN and infinities kept) as a zstd frame after a version byte."""
    return b"\1" + compress(json.dumps(value, default=_number).encode(), _FINDINGS_V1)


def unpack_json(data: bytes) -> Any:
    """The inverse of `pack_json`."""
    if data[:1] != b"\1":
        raise ValueError(f"findings have unknown version {data[:1]!r}")
    return json.loads(decompress(data[1:], _FINDINGS_V1))


def pack_rounds(rounds: tuple[Round, ...]) -> bytes:
    """Rounds as bytes: count, `used` bits, both timings in byte planes, `foreign` as it is.

    Foreign shares are quotients of clock ticks: few values, which repeat whole.
    """
    n = len(rounds)
    timings = struct.pack(f"<{2 * n}d", *(r.candidate for r in rounds), *(r.other for r in rounds))
    planes = b"".join(timings[i::8] for i in range(8))
    foreign = struct.pack(f"<{n}d", *(r.foreign for r in rounds))
    used = sum(1 << i for i, r in enumerate(rounds) if r.used).to_bytes((n + 7) // 8, "little")
    return n.to_bytes(4, "little") + _compressor().compress(used + planes + foreign)


def unpack_rounds(data: bytes) -> tuple[Round, ...]:
    """The inverse of `pack_rounds`, bit for bit."""
    n = int.from_bytes(data[:4], "little")
    content = _decompressor().decompress(data[4:])
    start, end = (n + 7) // 8, (n + 7) // 8 + 16 * n
    bits = int.from_bytes(content[:start], "little")
    timings = bytearray(16 * n)
    for i in range(8):
        timings[i::8] = content[start + 2 * n * i : start + 2 * n * (i + 1)]
    times = struct.unpack(f"<{2 * n}d", timings)
    foreign = struct.unpack(f"<{n}d", content[end:])
    return tuple(Round(times[i], times[n + i], foreign[i], bool(bits >> i & 1)) for i in range(n))


def plain(value: Any) -> Any:
    """The value as JSON keeps it: mappings as dicts, tuples as lists, the rest of it as text."""
    return json.loads(json.dumps(value, default=_simpler, sort_keys=False))


def canonical(value: Any) -> bytes:
    """JSON with sorted keys: equal structures, equal bytes."""
    return json.dumps(plain(value), sort_keys=True).encode()


def _number(value: Any) -> Any:
    return value.item()  # numpy and torch scalars; anything else has no place in findings


def _simpler(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


# A zstd context must not be shared between threads, and costs microseconds: one per call.
def _compressor() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=LEVEL)


def _decompressor() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor()


@lru_cache(maxsize=64)
def _prefix(base: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)

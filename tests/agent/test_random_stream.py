"""Randomness across a crash."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.random_stream import RandomStream


@given(st.integers(0, 2**63 - 1), st.integers(0, 30), st.integers(0, 10))
def test_a_restored_stream_goes_on_as_if_nothing_had_happened(
    seed: int, before: int, after: int
) -> None:
    stream = RandomStream(seed)
    for _ in range(before):
        stream.next().random()
    restored = RandomStream.restore(stream.state)
    for _ in range(after):
        assert restored.next().getstate() == stream.next().getstate()
    assert restored.state == stream.state


def test_streams_differ_by_seed_and_by_draw() -> None:
    draws = [s.next().random() for s in (RandomStream(0), RandomStream(1)) for _ in range(20)]
    assert len(set(draws)) == 40

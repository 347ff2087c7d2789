"""What the hardware could do: arithmetic of the bound, and calibration kept on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.cascade import Evaluator
from evaluator.lease import DeviceLease
from evaluator.roofline import ENOUGH_RUNS, PLAUSIBLE, Roofline, calibrated, stored
from evaluator.target import local_cpu

ROOF = Roofline({1000: 100.0, 10_000: 50.0, 100_000: 60.0, 1_000_000: 10.0}, {"float32": 1000.0})


@pytest.mark.parametrize(
    ("footprint", "rate"),
    [(1, 100), (1000, 100), (20_000, 60), (100_000, 60), (1_000_000, 10 / 0.92), (10**12, 10)],
)
def test_bandwidth_by_footprint(footprint: int, rate: float) -> None:
    assert ROOF.seconds(0, 300, footprint) == pytest.approx(300 / rate, rel=1e-5)


def test_a_part_of_the_data_may_still_be_in_a_cache() -> None:
    roof = Roofline({16: 200.0, 24: 150.0, 64: 50.0, 256: 40.0}, {"float32": 1000.0})
    for footprint in (64, 200, 256):
        near = 64 / footprint
        cached = near / 150 + (1 - near) / 40
        assert roof.seconds(0, 256, footprint) == pytest.approx(256 * cached)
    assert roof.seconds(0, 256, 10**9) == pytest.approx(256 / 40)


def test_the_larger_of_traffic_and_arithmetic_counts() -> None:
    assert ROOF.seconds(10_000, 100, 500) == pytest.approx(10.0)
    assert ROOF.seconds(10, 1000, 500) == pytest.approx(10.0)
    assert ROOF.floor(10_000, 100) == pytest.approx(PLAUSIBLE * 10.0)


@pytest.mark.slow
def test_calibration_is_kept_and_only_improves(evaluator: Evaluator, cache: Path) -> None:
    measured = evaluator.workshop.roofline
    assert all(rate > 1e8 for rate in measured.bandwidth.values())
    assert measured.flops["float32"] > 1e8
    kept = stored(local_cpu(), cache)  # others may have calibrated once more since
    assert kept is not None
    assert all(kept.bandwidth[size] >= rate for size, rate in measured.bandwidth.items())
    assert all(kept.flops[dtype] >= rate for dtype, rate in measured.flops.items())
    path = next((cache / "roofline").glob("*.json"))
    facts = json.loads(path.read_text())
    copy = cache / "copy" / "roofline" / path.name
    copy.parent.mkdir(parents=True)
    facts["flops"] |= {"float32": 12345.0, "float64": 1e30}
    copy.write_text(json.dumps({**facts, "runs": ENOUGH_RUNS}))
    again = calibrated(local_cpu(), cache / "copy", DeviceLease())
    assert again.flops["float32"] == 12345.0, "after enough runs nothing is measured again"
    copy.write_text(json.dumps({**facts, "runs": 1}))
    merged = calibrated(local_cpu(), cache / "copy", DeviceLease())
    assert merged.flops["float32"] > 1e8, "a run on a busy day is corrected by the next"
    assert merged.flops["float64"] == 1e30, "the best of all runs counts"


def test_without_a_calibration(tmp_path: Path) -> None:
    assert stored(local_cpu(), tmp_path) is None

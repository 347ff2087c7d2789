"""Foreign load: ours is not counted, others' is."""

from __future__ import annotations

import os
import subprocess
import time

from evaluator.foreign_load import ForeignLoad

SPIN = "import time; end = time.process_time() + {0}\nwhile time.process_time() < end: pass"


def test_the_share_is_a_share() -> None:
    load = ForeignLoad(lambda: 0.0)
    assert 0.0 <= load.share() <= 1.0
    time.sleep(0.1)
    assert 0.0 <= load.share() <= 1.0
    load.restart()
    assert 0.0 <= load.share() <= 1.0


def test_a_busy_neighbour_is_seen_and_ours_is_not() -> None:
    cores = os.cpu_count() or 1
    watched = ForeignLoad(lambda: 0.0)
    ours = 0.0
    known = ForeignLoad(lambda: ours)
    neighbours = [subprocess.Popen(["python3", "-c", SPIN.format(0.3)]) for _ in range(cores)]
    for neighbour in neighbours:
        neighbour.wait()
    ours = 0.3 * cores
    assert watched.share() > 0.1
    assert known.share() < watched.share()


def test_more_sandboxed_time_than_there_was_is_no_negative_share() -> None:
    used = 0.0
    load = ForeignLoad(lambda: used)
    time.sleep(0.05)
    used = 1e6
    assert load.share() == 0.0

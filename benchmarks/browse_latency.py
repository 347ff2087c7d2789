"""How long the server works on each page of `kernelmill browse`, on a large archive.

    python -m benchmarks.browse_latency [--candidates 20000] [--lineage 10000] [--archive PATH]

The archive is that of `benchmarks.archive_queries`, and one campaign more of 10,000 candidates. An
archive at PATH that is there already is asked and not filled. A million:

    python -m benchmarks.browse_latency --candidates 1000000 --archive /somewhere/large.db

Requests go through the whole application (routing, guard, database, figures, template) without a
socket in between, one after the other, each page with others' caches as they come.
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.testclient import TestClient

from agent.browse import addresses
from agent.browse.app import application
from benchmarks import quiet
from benchmarks.archive_queries import TARGET, fill, grow
from db.archive import Archive
from db.gallery import Gallery
from db.selection import Wanted


@dataclass(frozen=True)
class Kind:
    """A kind of page.

    Attributes:
        name: For the table.
        address: Draws one of them.
        times: How many to ask for.
        limit_ms: What its 95th percentile shall stay below at a million candidates; None where
            nothing was promised.
    """

    name: str
    address: Callable[[], str]
    times: int
    limit_ms: float | None


def main() -> None:
    """Fill an archive unless it is there, ask for its pages, store the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=20_000)
    parser.add_argument("--lineage", type=int, default=10_000)
    parser.add_argument("--archive", type=Path, help="use or keep this one (default: discard)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.archive or Path(folder) / "archive.db"
        if not path.exists():
            _fill(path, arguments.candidates, arguments.lineage)
        result, rows = measure(path)
    header = ("page", "asked", "median ms", "p95 ms", "limit ms", "KB")
    quiet.write("browse_latency", result, [header, *rows])


def _fill(path: Path, count: int, lineage: int) -> None:
    noise = random.Random(1)
    grow(path, count, noise)
    with Archive.open(path) as archive:
        fill(archive, lineage, noise, campaign_size=lineage)


def measure(path: Path) -> tuple[dict[str, object], list[tuple[object, ...]]]:
    """Ask for pages of every kind."""
    with Gallery.open(path) as gallery:
        client = TestClient(application(gallery, ""), base_url="http://localhost")
        client.get("/")  # templates are compiled once
        rows = [_row(client, kind) for kind in _kinds(gallery, random.Random(2))]
        total = sum(row.proposals for row in gallery.campaigns())
    result: dict[str, object] = {
        "machine": platform.machine(),
        "candidates": total,
        "bytes": path.stat().st_size,
        "p95_ms": {str(row[0]): row[3] for row in rows},
    }
    return result, rows


def _kinds(gallery: Gallery, dice: random.Random) -> list[Kind]:
    campaigns = gallery.campaigns()
    largest = max(campaigns, key=lambda row: row.proposals)
    problems = gallery.names()[0]
    digests = _digests(gallery, problems)

    def digest() -> str:
        return dice.choice(digests)

    return [
        Kind("overview", lambda: addresses.OVERVIEW, 40, 100.0),
        Kind("problem", lambda: addresses.problem(dice.choice(problems), TARGET), 40, 100.0),
        Kind("candidate", lambda: addresses.candidate(digest()), 200, 50.0),
        Kind("lineage of the largest campaign", lambda: addresses.lineage(largest.key), 20, 300.0),
        Kind("campaign", lambda: addresses.campaign(dice.choice(campaigns).key), 40, None),
        Kind("largest campaign", lambda: addresses.campaign(largest.key), 20, None),
        Kind("campaigns", lambda: addresses.CAMPAIGNS, 20, None),
        Kind("compare", lambda: addresses.comparison(digest(), digest()), 40, None),
        Kind("candidates, newest", lambda: f"{addresses.CANDIDATES}?order=newest", 20, None),
        Kind("candidates, fastest", lambda: addresses.CANDIDATES, 20, None),
        Kind("search by digest", lambda: f"{addresses.CANDIDATES}?q={digest()[:10]}", 20, None),
        Kind("search by words", lambda: f"{addresses.CANDIDATES}?q=unroll+split", 10, None),
        Kind("search in vain", lambda: f"{addresses.CANDIDATES}?q=nobodysaidthis", 3, None),
    ]


def _digests(gallery: Gallery, problems: Sequence[str]) -> list[str]:
    """Some of every kind: the newest, and the best of each problem."""
    found = [row.candidate for row in gallery.candidates(Wanted(newest=True), limit=500).rows]
    for problem in problems:
        best = gallery.candidates(Wanted(problem=problem, target=TARGET), limit=100)
        found += [row.candidate for row in best.rows]
    return found


def _row(client: TestClient, kind: Kind) -> tuple[object, ...]:
    taken = []
    size = 0
    for _ in range(kind.times):
        address = kind.address()
        started = time.perf_counter()
        answer = client.get(address)
        taken.append((time.perf_counter() - started) * 1e3)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: status {answer.status_code}")
        size = max(size, len(answer.content))
    taken.sort()
    p95 = taken[min(len(taken) - 1, round(0.95 * len(taken)))]
    return (
        kind.name,
        kind.times,
        round(statistics.median(taken), 1),
        round(p95, 1),
        kind.limit_ms or "",
        round(size / 1e3),
    )


if __name__ == "__main__":
    main()

"""`kill -9` at random instants in campaigns with a model, a reviewer and the embedded proposer.

    python -m benchmarks.kills                            # 200 kills
    python -m benchmarks.kills --kills 20 --first-seed 40 # a piece of them

A campaign on a tiny problem runs in a child process that is killed at a random instant, and again,
and again, until it ends by itself; then the next one begins. The model is a scripted server on this
machine whose answers take up to a second, so most kills find questions in flight. After each kill
the archive is looked at: is it whole, is everything still there and the same, was nothing evaluated
twice, and does it account for every request that the server has had? Every campaign must go on from
where it was, and end. Children are forked off a process that has loaded everything, which is what
makes a kill take seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

EVALUATIONS = 12
TOKENS_OF_A_CALL = 150
"""What the scripted server bills."""
LAST = 600.0
"""Seconds a campaign may take to its end once nobody kills it any more."""


def main() -> None:
    """Run a piece and store, or with other numbers than usual only print, the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0, help="number of the first kill")
    parser.add_argument("--longest", type=float, default=5.0, help="seconds until a kill, at most; "
                        "every other kill counts from its process's first verdict")  # fmt: skip
    parser.add_argument("--store", action="store_true", help="write docs/benchmarks/kills.*")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no child is left behind
    with tempfile.TemporaryDirectory(prefix="kernelmill-kills-") as name:
        found = Run(Path(name), given.first_seed, given.longest).go(given.kills)
    for fault in found.faults:
        print(f"FAULT: {fault}")
    print("\n".join(f"{name}: {value}" for name, value in found.rows()))
    if given.store:
        from benchmarks import quiet

        facts = {**dict(found.rows()), "faults": found.faults}
        quiet.write("kills", facts, [("what", "count"), *found.rows()])
    sys.exit(1 if found.faults else 0)


@dataclass
class Found:
    """What a run of kills came to."""

    kills: int = 0
    campaigns: int = 0
    evaluations: int = 0
    calls: int = 0
    in_flight: int = 0
    waiting: int = 0
    kept: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    phases: Counter[str] = field(default_factory=Counter)

    def rows(self) -> list[tuple[str, object]]:
        """Names and values."""
        return [
            ("kills", self.kills),
            ("campaigns, each resumed to its end", self.campaigns),
            ("evaluations recorded", self.evaluations),
            ("calls of models", self.calls),
            ("questions in flight when killed", self.in_flight),
            ("answers that waited for their turn when killed", self.waiting),
            ("answers kept for a larger budget at the end", self.kept),
            *((f"killed while {phase}", n) for phase, n in sorted(self.phases.items())),
            ("faults", len(self.faults)),
            ("seconds per kill", round(self.seconds / max(self.kills, 1), 2)),
        ]


@dataclass(frozen=True)
class Snapshot:
    """What an archive says of its only campaign; None-like before there is one."""

    proposals: tuple[tuple[object, ...], ...] = ()
    judged: tuple[tuple[str, str], ...] = ()
    concluded: tuple[tuple[object, ...], ...] = ()
    calls: int = 0
    asked: int = 0
    answered: int = 0
    tokens: int = 0
    events: tuple[str, ...] = ()
    status: str = "none"
    simplifying: bool = False

    @property
    def phase(self) -> str:
        """What it was doing."""
        if self.status == "none":
            return "starting"
        if not self.judged:
            return "judging the seed"
        return "simplifying" if self.simplifying else "searching"


class Run:
    """Campaigns under fire.

    Args:
        folder: For archives, problem and cache.
        first: Number of the first kill; numbers decide instants and campaigns.
        longest: Seconds until a kill, at most.
    """

    def __init__(self, folder: Path, first: int, longest: float) -> None:
        from tests.agent.tiny import write_problem

        os.environ["KERNELMILL_CACHE"] = str(folder / "cache")
        os.environ.pop("OPENAI_API_KEY", None)
        self._folder = folder
        self._problem = write_problem(folder)
        self._number = first
        self._longest = longest
        self.found = Found()

    def go(self, kills: int) -> Found:
        """So many kills, and every campaign that was begun to its end."""
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        server = context.Process(target=serve, args=(theirs,), daemon=True)
        server.start()
        self._url = ours.recv()
        preload()
        self._warm_up()
        started = time.monotonic()
        try:
            while self.found.kills < kills:
                self._campaign(ours, kills)
        finally:
            server.terminate()
        self.found.seconds = time.monotonic() - started
        return self.found

    def _campaign(self, server: Connection, kills: int) -> None:
        path = self._folder / f"{self._number}.db"
        before, requests_before = Snapshot(), count(server)
        self.found.campaigns += 1
        while True:
            rng = random.Random(self._number)
            killed = self.found.kills < kills
            wait = rng.uniform(0, self._longest) if killed else LAST
            late = len(before.judged) if killed and self._number % 2 else None
            code = self._run(path, wait, late)
            now = snapshot(path)
            self._check(before, now, count(server) - requests_before)
            if code is None and not killed:
                self.found.faults.append(f"{path.stem}: no end within {LAST:g} s")
                return
            if code is not None:
                self._check_end(path, now, code)
                return
            self._number += 1
            self.found.kills += 1
            self.found.phases[now.phase] += 1
            self.found.in_flight += now.asked
            self.found.waiting += now.answered
            before = now

    def _warm_up(self) -> None:
        """Calibration and compilers' caches are there before the first kill, as on any machine that
        has been used before."""
        code = self._run(self._folder / "warm-up.db", LAST)
        if code != 0:
            raise SystemExit(f"a campaign that nobody kills ends with status {code}")

    def _run(self, path: Path, seconds: float, late: int | None = None) -> int | None:
        """A campaign's process for so long, or so long after its archive had more than `late`
        evaluations; its exit status, None if it had to be killed."""
        pid = self._start(path, self._number)
        code = None
        try:
            code = ended(pid, seconds, lambda: late is None or evaluations(path) > late)
        finally:
            if code is None:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        return code

    def _start(self, path: Path, number: int) -> int:
        """A child that goes on with the campaign, or begins it."""
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = campaign(self._problem, path, self._url, number)
            except BaseException as error:  # nothing of the parent's may run in the child
                print(f"child: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            finally:
                os._exit(code)
        return pid

    def _check(self, before: Snapshot, now: Snapshot, requests: int) -> None:
        def demand(holds: bool, what: str) -> None:
            if not holds:
                self.found.faults.append(f"kill {self._number}: {what}")

        demand(now.proposals[: len(before.proposals)] == before.proposals, "a proposal changed")
        demand(set(before.judged) <= set(now.judged), "an evaluation is lost or changed")
        twice = [d for d, n in Counter(digest for digest, _ in now.judged).items() if n > 1]
        demand(not twice, "a candidate was evaluated twice")
        digests = [p[1] for p in now.proposals]
        demand(len(set(digests)) == len(digests), "a candidate was proposed twice")
        demand(set(before.concluded) <= set(now.concluded), "a call is lost or changed")
        demand(now.tokens >= before.tokens, "tokens became fewer")
        demand(now.calls >= requests, f"{requests} requests, {now.calls} calls")
        demand(now.tokens >= TOKENS_OF_A_CALL * requests, "tokens of a request are forgotten")
        demand(now.events[: len(before.events)] == before.events, "an event is lost")

    def _check_end(self, path: Path, now: Snapshot, code: int) -> None:
        name = path.stem
        if code != 0:
            self.found.faults.append(f"campaign {name}: ended with status {code}")
        if now.status != "finished":
            self.found.faults.append(f"campaign {name}: {now.status}")
        if len(now.judged) != len(now.proposals):
            self.found.faults.append(f"campaign {name}: proposals without evaluation")
        if now.asked:
            self.found.faults.append(f"campaign {name}: calls that nobody concluded")
        self.found.kept += now.answered
        self.found.evaluations += len(now.judged)
        self.found.calls += now.calls


def serve(pipe: Connection) -> None:
    """The scripted model: kernels good, broken and wrong, verdicts, and how often it was asked."""
    from tests.agent.chat_server import Reply, Request, said, serving
    from tests.agent.kernels import BROKEN, WRONG, fenced, variant

    def script(number: int, request: Request) -> Reply:
        rng = random.Random(number)
        text = request["messages"][1]["content"]
        if "## The kernel to review" in text:
            answer = f"Verdict: {rng.choice(['accept', 'accept', 'reject'])}\nReason: a feeling"
        elif number % 7 == 3:
            answer = "I would rather not."
        elif number % 7 == 5:
            answer = fenced(BROKEN if number % 2 else WRONG.replace("3.0f", f"{number + 3}.0f"))
        else:
            answer = fenced(variant(number))
        return Reply(said(answer).body, seconds=rng.choice([0.0, 0.05, 0.3, 1.0]))

    with serving(script) as chat:
        pipe.send(chat.url)
        while True:
            pipe.recv()
            pipe.send(len(chat.requests))


def count(server: Connection) -> int:
    """Requests that the server has had."""
    server.send("how many?")
    found: int = server.recv()
    return found


def preload() -> None:
    """Load what a campaign loads, and run nothing: threads do not survive a fork."""
    import openai  # noqa: F401
    import torch  # noqa: F401

    import sandbox.select  # noqa: F401


def ended(pid: int, seconds: float, ready: Callable[[], bool]) -> int | None:
    """Exit status of a child, None if it still runs so long after it was ready."""
    until = time.monotonic() + LAST
    waiting = True
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if waiting and ready():
            until, waiting = time.monotonic() + seconds, False
        time.sleep(min(0.01, max(0.0, until - time.monotonic())))
    return None


def evaluations(path: Path) -> int:
    """How many an archive has."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as raw:
            return int(raw.execute("select count(*) from evaluation").fetchone()[0])
    except sqlite3.Error:
        return 0  # it is not there yet


def campaign(problem: Path, path: Path, url: str, seed: int) -> int:
    """Begin a campaign or go on with it, to its end; the exit status of `kernelmill`."""
    from agent import launch
    from agent.campaign import StopSign
    from agent.cli.config import CampaignConfig
    from agent.observer import Silent
    from agent.recorded_settings import recorded_settings
    from db.archive import Archive
    from tests.agent.hurry import hurry

    hurry(setattr)  # nobody reads its figures
    with Archive.open(path) as archive:
        silent, stop = Silent(), StopSign()
        if not archive.campaigns():
            config = CampaignConfig.model_validate(
                {"problem": str(problem), "evaluations": EVALUATIONS, "base_url": url,
                 "models": ("small", "large=2"), "reviewer": "critic", "in_flight": 3, "mix": 0.4,
                 "random_seed": seed, "batch_size": 2, "extinct_after": 3, "migrate_every": 4,
                 "simplify": 0.3, "model_retries": 0}
            )  # fmt: skip
            asyncio.run(launch.start(config, archive, silent, stop, want_baselines=False))
            return 0
        config = recorded_settings(archive.load_campaign(1).record, {"base_url": url})
        asyncio.run(launch.resume(1, config, archive, silent, stop, want_baselines=False))
    return 0


def snapshot(path: Path) -> Snapshot:
    """What the archive has now.

    Raises:
        sqlite3.DatabaseError: It is damaged.
    """
    from db.archive import Archive

    if not path.exists():
        return Snapshot()
    with closing(sqlite3.connect(path)) as raw:
        if raw.execute("pragma integrity_check").fetchall() != [("ok",)]:
            raise sqlite3.DatabaseError(f"{path} is damaged")
        if not raw.execute("select 1 from sqlite_master where name = 'campaign'").fetchall():
            return Snapshot()
        if not raw.execute("select 1 from campaign").fetchall():
            return Snapshot()
        rows = raw.execute(
            "select hex(c.digest), e.outcome from evaluation e join candidate c "
            "on c.id = e.candidate_id"
        ).fetchall()
    with Archive.open(path) as archive:
        state = archive.load_campaign(1)
    spending = state.spending
    return Snapshot(
        proposals=tuple((p.ordinal, p.candidate.digest, p.operator) for p in state.proposals),
        judged=tuple((digest.lower(), outcome) for digest, outcome in rows),
        concluded=tuple(
            (c.id, c.number, c.operator, c.figures.prompt_tokens, c.figures.error)
            for c in state.calls
            if c.state == "concluded"
        ),
        calls=len(state.calls),
        asked=sum(c.state == "asked" for c in state.calls),
        answered=sum(c.state == "answered" for c in state.calls),
        tokens=spending.prompt_tokens + spending.completion_tokens,
        events=tuple(f"{e.kind} {e.call} {sorted(e.details)}" for e in state.events),
        status=str(state.record.status),
        simplifying=any(p.operator == "simplify" for p in state.proposals),
    )


if __name__ == "__main__":
    main()

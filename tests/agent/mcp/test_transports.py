"""The server in a process of its own: both transports, clients that vanish, kills, other hosts."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import anyio
import pytest

from db.archive import Archive
from db.records import CampaignStatus
from tests.agent.command import finish, start
from tests.agent.kernels import BROKEN, FAST, variant
from tests.agent.mcp.clients import Answer, Session, http_server, over_http, over_stdio
from tests.agent.test_crash import evaluation_rows, judged


async def submit(agent: Session, source: str, **more: object) -> Answer:
    return await agent.call("submit_kernel", campaign=1, source=source, plan="a test", **more)


async def cut_off(agent: Session, source: str, **more: object) -> None:
    """Hand a kernel in, and stop waiting when its judging has begun."""
    agent.lines.clear()
    with anyio.move_on_after(60) as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: submit(agent, source, **more))
            while not agent.heard("verify"):
                await anyio.sleep(0.02)
            scope.cancel()


def test_stdio_serves_the_client_that_started_it(folder: Path, cache: Path, tmp_path: Path) -> None:
    async def session() -> None:
        async with over_stdio(cache, tmp_path / "a.db", folder) as agent:
            listed = await agent.call("list_problems")
            assert {"hypotenuse", "softmax"} <= {p["name"] for p in listed["problems"]}
            assert "no campaign 1" in await agent.refused("get_campaign", campaign=1)

    asyncio.run(session())


@pytest.mark.slow
def test_stdio_killed_in_the_middle_and_resumed(folder: Path, cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.db"

    async def until_killed() -> None:
        async with over_stdio(cache, path, folder) as agent:
            await agent.call("start_campaign", problem="hypotenuse")
            failed = await submit(agent, BROKEN)
            assert failed["verdict"]["outcome"] == "build_failed"
            await cut_off(agent, FAST)
            assert agent.heard("building", "judging", "verify: checking correctness")
            os.kill(_server_of(os.getpid()), signal.SIGKILL)

    asyncio.run(until_killed())
    with Archive.open(path) as archive:
        state = archive.load_campaign(1)
        assert [p.candidate.source for p in state.proposals[1:]] == [BROKEN, FAST]
    known = judged(path)

    async def afterwards() -> None:
        async with over_stdio(cache, path, folder) as agent:
            went_on = await submit(agent, FAST)
            assert went_on["known"]
            assert went_on["verdict"]["outcome"] == "ok"
            await agent.call("finish_campaign", campaign=1)

    asyncio.run(afterwards())
    assert known.items() <= judged(path).items()
    assert set(evaluation_rows(path)) == {1}


@pytest.mark.slow
def test_resume_judges_what_was_handed_in_and_says_what_to_do(
    folder: Path, cache: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.db"

    async def session() -> None:
        async with over_stdio(cache, path, folder) as agent:
            await agent.call("start_campaign", problem="hypotenuse")
            pending = await submit(agent, FAST, wait_seconds=0)
            assert pending["verdict"]["outcome"] == "pending"

    asyncio.run(session())  # the client leaves, the server with it
    with Archive.open(path) as archive:
        state = archive.load_campaign(1)
    assert state.record.status is CampaignStatus.INTERRUPTED
    assert "connect again" in state.record.reason
    assert len(state.pending) == 1
    code, out, err = finish(
        start(cache, "resume", "--archive", str(path), "--no-baselines", hurried=True)
    )
    assert code in (0, 1), err
    assert "connect it to `kernelmill mcp`" in " ".join(out.split())
    assert set(evaluation_rows(path)) == {1}
    assert len(judged(path)) == 2


def test_http_answers_this_machine_alone(folder: Path, cache: Path, tmp_path: Path) -> None:
    async def session(address: str) -> None:
        async with over_http(address, "ada") as ada:
            assert "list_problems names them" in await ada.refused("start_campaign", problem="zz")

    with http_server(cache, tmp_path / "a.db", folder) as address:
        for header in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            request = urllib.request.Request(address, b"{}", {
                "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                **header})  # fmt: skip
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request)
            assert caught.value.code in (403, 421)
        asyncio.run(session(address))


@pytest.mark.slow
def test_http_clients_share_a_campaign_and_one_is_cut_off(
    folder: Path, cache: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.db"

    async def sessions(address: str) -> None:
        async with over_http(address, "ada") as ada:
            await ada.call("start_campaign", problem="hypotenuse")
            async with over_http(address, "grace", "legacy") as grace:
                await cut_off(grace, FAST)
            first, second = await asyncio.gather(submit(ada, variant(1)), submit(ada, BROKEN))
            assert first["verdict"]["outcome"] == "ok"
            assert second["verdict"]["outcome"] == "build_failed"
            steps = (await ada.call("get_campaign", campaign=1))["steps"]
        assert [s["proposer"] for s in steps[1:]] == ["mcp:grace 1.0", *["mcp:ada 1.0"] * 2]
        assert steps[1]["outcome"] == "ok"  # judged to its end, though nobody waited

    with http_server(cache, path, folder) as address:
        asyncio.run(sessions(address))
    with Archive.open(path) as archive:
        assert archive.load_campaign(1).record.status is CampaignStatus.INTERRUPTED
    assert set(evaluation_rows(path)) == {1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--http", "0", "--host", "0.0.0.0"), "candidates would be taken from the network"),
        (("--http", "1", "--problem", "."), "no problem.py there"),
        (("--evaluations", "0"), "--evaluations = 0"),
    ],
)
def test_what_cannot_be_served(
    flags: tuple[str, ...], words: str, cache: Path, tmp_path: Path
) -> None:
    code, out, err = finish(start(cache, "mcp", "--archive", str(tmp_path / "a.db"), *flags))
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def _server_of(parent: int) -> int:
    """The one child of a process that is a server."""
    found = subprocess.run(
        ["ps", "-ww", "--ppid", str(parent), "-o", "pid=,args="],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    (line,) = [row for row in found if " mcp --problem " in row]
    return int(line.split()[0])

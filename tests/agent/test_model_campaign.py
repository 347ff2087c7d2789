"""Campaigns with language models: a real server, a real program, everything that goes wrong."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from agent import interleaving, launch, questions
from agent.campaign import StopSign
from agent.recorded_settings import recorded_settings
from agent.report import Report
from db.archive import Archive
from db.records import CallState, CampaignState, CampaignStatus
from evaluator.errors import ConfigError
from tests.agent.chat_server import Reply, Request, failed, said, serving, unused_url
from tests.agent.kernels import BROKEN, FAST, WRONG, fenced, variant
from tests.agent.test_campaign import Diary
from tests.agent.tiny import SEED, settings

KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def no_other_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says of models does not matter; failing endpoints are tried at once."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(questions, "FIRST_PAUSE", 0.05)


def run(
    archive: Archive, folder: Path, url: str, diary: Diary | None = None, **more: object
) -> Report:
    given: dict[str, object] = {"base_url": url, "mix": 0.0, "model_retries": 0, **more}
    config = settings(folder, **given)  # type: ignore[arg-type]
    return asyncio.run(
        launch.start(config, archive, diary or Diary(), StopSign(), want_baselines=False)
    )


def go_on(archive: Archive, campaign: int, diary: Diary | None = None, **more: object) -> Report:
    config = recorded_settings(archive.load_campaign(campaign).record, more)
    return asyncio.run(
        launch.resume(campaign, config, archive, diary or Diary(), StopSign(), want_baselines=False)
    )


def errors(archive: Archive, campaign: int) -> list[str]:
    """Why calls gave no kernel, in order; "" for those that did."""
    calls = archive.load_campaign(campaign).calls
    assert all(call.state is CallState.CONCLUDED for call in calls)
    return [call.figures.error or "" for call in calls]


def test_a_campaign_through_everything_models_do(archive: Archive, folder: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "submit", "arguments": json.dumps(
        {"code": variant(3)})}}  # fmt: skip
    ten = "\n".join(f"Step {i}:\n```cpp\nint part{i};\n```" for i in range(9))
    replies = [
        said(fenced(variant(1), tag="python")),  # wrong tag, right language
        said(""),
        said(None, refusal="I cannot help with kernels"),
        said(fenced(variant(2))[:80], finish="length"),
        said("```python\ndef kernel(x):\n    return x\n```"),
        said(f"{ten}\n{fenced(variant(2))}"),
        said("x" * (1 << 20)),
        Reply(said(fenced(variant(4), plan="caf_")).body.replace(b"caf_", b"caf\xff\xfe")),
        said(None, finish="tool_calls", tool_calls=[call]),
        failed(500, "out of order"),
        Reply(b"<html>gateway</html>", 502),
        Reply(b"not json at all"),
        Reply(b'{"choices": "none"}'),
        Reply(said(fenced(variant(5))).body, cut=True),
        Reply(said("late").body, seconds=2.5),
        said(fenced(variant(1))),  # the same again
        said(f"no fences here\n{variant(5)}Thank you."),
    ]
    diary = Diary()
    with serving(replies) as chat:
        report = run(archive, folder, chat.url, diary, evaluations=5, in_flight=1, repairs=0,
                     model_timeout=1.0)  # fmt: skip
    assert report.status is CampaignStatus.FINISHED
    assert report.evaluations == 5
    told = errors(archive, report.campaign)
    expected = [
        "", "is empty", "the model refused: I cannot help", "cut short", "defines no kernel", "",
        "defines no kernel", "", "", "HTTP 500: out of order", "HTTP 502", "not a chat completion",
        "not a chat completion", "connection failed", "no answer within 1 s",
        "the same kernel as candidate",
    ]  # fmt: skip
    for wanted, found in zip(expected, told, strict=False):
        assert (wanted in found) if wanted else found == ""
    state = archive.load_campaign(report.campaign)
    children = [p for p in state.proposals if p.operator != "seed"]
    assert {p.proposer for p in children} == {"openai"}
    assert all(p.evaluation is not None for p in children)
    assert "caf\ufffd\ufffd" in {p.description for p in children}
    detail = archive.show(children[0].candidate.digest).proposals[0]
    assert detail.model_call is not None
    assert (detail.model_call.prompt_tokens, detail.model_call.cost) == (100, 0.0)
    assert SEED.splitlines()[5] in (detail.prompt or "")
    assert detail.completion == fenced(variant(1), tag="python")
    assert state.spending.calls == len(told)


def test_failed_children_are_repaired_with_their_diagnostics(
    archive: Archive, folder: Path
) -> None:
    with serving([said(fenced(BROKEN)), said(fenced(WRONG)), said(fenced(FAST))]) as chat:
        report = run(archive, folder, chat.url, evaluations=3, in_flight=1)
    state = archive.load_campaign(report.campaign)
    operators = [p.operator for p in state.proposals]
    assert operators[2:] == ["repair", "repair"]
    outcomes = [p.evaluation.outcome for p in state.proposals if p.evaluation]
    assert outcomes == ["ok", "build_failed", "incorrect", "ok"]
    assert state.proposals[2].parents == (state.proposals[1].candidate.digest,)
    first, second = (r["messages"][1]["content"] for r in chat.requests[1:3])
    assert "undeclared" in first.partition("## What went wrong")[2]
    assert "numeric-policy" in second.partition("## What went wrong")[2]


@pytest.mark.slow
def test_embedded_children_fill_the_time_of_waiting(archive: Archive, folder: Path) -> None:
    slow = [Reply(said(fenced(variant(i))).body, seconds=1.5) for i in range(9)]
    with serving(slow) as chat:
        report = run(archive, folder, chat.url, evaluations=3, in_flight=2, mix=0.5)
    proposers = [p.proposer for p in archive.load_campaign(report.campaign).proposals]
    assert proposers[0] == "problem"
    assert {"openai", "transform"} == set(proposers[1:])


def test_what_is_left_of_the_budget_is_kept_for_answers_that_are_paid_for(
    archive: Archive, folder: Path
) -> None:
    def late(number: int, request: Request) -> Reply:
        return Reply(said(fenced(variant(number + 1))).body, seconds=4.0)

    with serving(late) as chat:
        report = run(archive, folder, chat.url, evaluations=3, in_flight=2, mix=0.9)
    assert report.evaluations == 3
    assert errors(archive, report.campaign) == ["", ""]
    proposals = archive.load_campaign(report.campaign).proposals
    assert [p.proposer for p in proposals if p.operator != "seed"].count("openai") == 2


@pytest.mark.slow
def test_an_endpoint_that_is_down_is_done_without(archive: Archive, folder: Path) -> None:
    class Notes(Diary):
        lines: list[str]

        def note(self, line: str) -> None:
            self.lines.append(line)

    diary = Notes()
    diary.lines = []
    url = unused_url()
    given = {"models": ("m",), "mix": 0.2, "evaluations": 2}
    with pytest.raises(ConfigError, match="does not list its models.*is it running"):
        run(archive, folder, url, mix=0.2)
    report = run(archive, folder, url, diary, **given)
    assert report.evaluations == 2
    assert {p.proposer for p in archive.load_campaign(report.campaign).proposals[1:]} == {
        "transform"
    }
    assert any("the connection failed" in line for line in diary.lines)


@pytest.mark.slow
def test_an_endpoint_that_comes_back_is_asked_again(archive: Archive, folder: Path) -> None:
    def script(number: int, _: Request) -> Reply:
        return failed(503, "restarting") if 1 <= number <= 4 else said(fenced(variant(number)))

    diary = Diary()
    with serving(script) as chat:
        report = run(archive, folder, chat.url, diary, in_flight=1, mix=0.4, evaluations=6)
        assert len(chat.requests) > 5
    assert (report.status, report.evaluations) == (CampaignStatus.FINISHED, 6)
    state = archive.load_campaign(report.campaign)
    assert sum("HTTP 503" in (c.figures.error or "") for c in state.calls) == 4
    proposers = [p.proposer for p in state.proposals]
    assert "transform" in proposers
    numbers = {call.id: call.number for call in state.calls}
    assert max(numbers[p.call] for p in state.proposals if p.call is not None) > 5


@pytest.mark.slow
def test_an_endpoint_that_is_down_stops_the_campaign_if_it_is_to(
    archive: Archive, folder: Path
) -> None:
    good = [said(fenced(variant(1))), failed(503, "overloaded")]
    with serving(good) as chat:
        report = run(archive, folder, chat.url, in_flight=1, when_model_fails="stop",
                     models=("m",), evaluations=2)  # fmt: skip
    assert report.status is CampaignStatus.INTERRUPTED
    assert "did not answer 3 times in a row: HTTP 503: overloaded" in report.reason
    assert report.evaluations == 1
    with serving([said(fenced(variant(2)))]) as chat:
        report = go_on(archive, report.campaign, base_url=chat.url)
    assert (report.status, report.evaluations) == (CampaignStatus.FINISHED, 2)


def test_a_refused_key_is_the_users_business_and_never_kept(
    archive: Archive, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    refusing = [failed(401, f"Incorrect API key provided: {KEY}")]
    with serving(refusing) as chat, pytest.raises(ConfigError, match=r"401.*\[key\]") as caught:
        run(archive, folder, chat.url)
    assert KEY not in str(caught.value)
    with serving([said(fenced(variant(1)))]) as chat:
        report = run(archive, folder, chat.url, evaluations=1, record=str(tmp_path / "kept"))
        assert set(chat.keys) == {f"Bearer {KEY}"}
    assert report.evaluations == 1
    assert archive.load_campaign(report.campaign).record.config["base_url"] == chat.url
    archive.close()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    with Archive.open(tmp_path / "archive.db") as opened:
        for number in (1, 2):
            assert KEY not in repr(opened.load_campaign(number))


@pytest.mark.slow
def test_a_budget_of_tokens_ends_a_campaign(archive: Archive, folder: Path) -> None:
    with serving(lambda number, _: said(fenced(variant(number)))) as chat:
        report = run(archive, folder, chat.url, tokens=3600, answer_tokens=2000, evaluations=20,
                     in_flight=2, prompt_tokens=1300)  # fmt: skip
    assert "the budget of 3600 tokens is used" in report.reason
    assert 1 <= report.evaluations < 20
    assert report.spent is not None
    assert report.spent.tokens <= 3600


def test_an_unknown_price_is_refused_before_anything_is_asked(
    archive: Archive, folder: Path
) -> None:
    with pytest.raises(ConfigError, match="no price is known for model 'm'.*--allow-unpriced"):
        run(archive, folder, "http://models.invalid/v1", models=("m",))
    assert archive.campaigns() == []


def test_answers_without_kernels_do_not_go_on_for_ever(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interleaving, "MOST_BARREN", 5)
    with serving([said("I would rather talk about the weather.")]) as chat:
        report = run(archive, folder, chat.url)
    assert report.reason == "the last 5 answers held no new kernel"


def test_what_had_arrived_is_used_after_a_stop_and_what_was_in_flight_is_lost(
    archive: Archive, folder: Path
) -> None:
    never = threading.Event()

    def script(number: int, request: Request) -> Reply:
        return Reply(said(fenced(variant(number))).body, until=None if number < 4 else never)

    stop = StopSign()
    with serving(script) as chat:
        config = settings(folder, evaluations=8, base_url=chat.url, mix=0.0, in_flight=4)
        diary = Diary(stop, after=3)
        report = asyncio.run(launch.start(config, archive, diary, stop, want_baselines=False))
        assert report.status is CampaignStatus.INTERRUPTED
        state = archive.load_campaign(report.campaign)
        waiting = [c for c in state.calls if c.state is CallState.ANSWERED]
        lost = [c for c in state.calls if c.figures.error]
        assert waiting
        assert {c.figures.error for c in lost} == {questions.WITHDRAWN}
        assert state.spending.completion_tokens > 3 * 50  # what was in flight counts as expected
        never.set()
    with serving(lambda number, _: said(fenced(variant(10 + number)))) as chat:
        report = go_on(archive, report.campaign, base_url=chat.url, evaluations=4)
    assert report.evaluations == 4
    numbers = [c.number for c in archive.load_campaign(report.campaign).calls]
    assert numbers == sorted(set(numbers))
    used = archive.show(archive.load_campaign(report.campaign).proposals[3].candidate.digest)
    assert used.proposals[0].completion == waiting[0].completion


def test_a_program_answers(archive: Archive, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "answer.txt").write_text(fenced(FAST))
    command = f"grep -q hypotenuse && cat {tmp_path / 'answer.txt'}"
    config = settings(folder, evaluations=1, command=command, mix=0.0)
    report = asyncio.run(launch.start(config, archive, Diary(), StopSign(), want_baselines=False))
    assert report.evaluations == 1
    assert archive.load_campaign(report.campaign).proposals[1].proposer == "command"
    assert archive.load_campaign(report.campaign).record.config["proposer"] == "command"


@pytest.mark.slow
def test_a_recorded_campaign_takes_the_same_course_again(
    archive: Archive, folder: Path, tmp_path: Path
) -> None:
    kept = str(tmp_path / "kept")

    def script(number: int, request: Request) -> Reply:
        wording = said("") if number % 4 == 3 else said(fenced(variant(number)))
        wrong = said(fenced(WRONG.replace("3.0f", f"{number + 3}.0f")))
        return wrong if number % 5 == 1 else wording

    given: dict[str, object] = {"evaluations": 8, "in_flight": 3}
    with serving(script) as chat:
        first = run(archive, folder, chat.url, None, record=kept, **given)
    config = settings(folder, **given, recording=kept, mix=0.0)  # type: ignore[arg-type]
    again = asyncio.run(launch.start(config, archive, Diary(), StopSign(), want_baselines=False))
    before, after = (archive.load_campaign(r.campaign) for r in (first, again))
    assert after.record.config["proposer"] == "replay"

    def course(state: CampaignState) -> list[tuple[str, str, tuple[str, ...], str]]:
        return [
            (p.candidate.digest, p.operator, p.parents, str(p.evaluation and p.evaluation.outcome))
            for p in state.proposals
        ]

    assert course(before) == course(after)
    asked = [(c.number, c.operator, c.parents) for c in after.calls]
    assert asked == [(c.number, c.operator, c.parents) for c in before.calls][: len(asked)]

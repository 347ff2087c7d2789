"""Whoever answers: an endpoint over real HTTP, a program, a recording."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.models.command import CommandModel
from agent.models.completer import Completion, Model, Prompt, Script, Trouble
from agent.models.openai_chat import OpenAIChat, is_local
from agent.models.recording import Recorder, Replay, prompt_key
from evaluator.errors import ConfigError
from tests.agent.chat_server import Reply, Request, failed, said, serving, unused_url
from tests.agent.command import alive

PROMPT = Prompt("be brief", "say hello", "cpp/rewrite@1")


def ask(url: str, retries: int = 0, timeout: float = 5.0) -> Completion:
    async def once() -> Completion:
        chat = OpenAIChat(
            [Model("m")], url, timeout=timeout, retries=retries, answer_tokens=7, temperature=0.5
        )
        try:
            return await chat.complete(1, "m", PROMPT)
        finally:
            await chat.close()

    return asyncio.run(once())


def test_a_question_as_servers_see_it() -> None:
    with serving([said("hello")]) as chat:
        completion = ask(chat.url)
    assert (completion.text, completion.trouble, completion.error) == ("hello", None, "")
    assert (completion.prompt_tokens, completion.completion_tokens) == (100, 50)
    (request,) = chat.requests
    assert request["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "say hello"},
    ]
    assert (request["model"], request["max_tokens"], request["temperature"]) == ("m", 7, 0.5)
    assert "stream" not in request


@pytest.mark.parametrize("first", [failed(429, retry_after_ms="20"), failed(500, retry_after="0"),
                                   Reply(said("x").body, cut=True)])  # fmt: skip
def test_what_passes_is_tried_again(first: Reply) -> None:
    with serving([first, said("hello")]) as chat:
        assert ask(chat.url, retries=1).text == "hello"
        assert len(chat.requests) == 2


def test_a_server_that_knows_the_other_name_of_the_limit() -> None:
    def script(number: int, request: Request) -> Reply:
        if "max_tokens" in request:
            return failed(400, "Unsupported parameter: 'max_tokens' is not supported, use "
                               "'max_completion_tokens' instead")  # fmt: skip
        return said("hello")

    with serving(script) as chat:
        assert ask(chat.url).text == "hello"
        assert chat.requests[-1]["max_completion_tokens"] == 7


@pytest.mark.parametrize(
    ("reply", "trouble", "words", "tokens"),
    [
        (failed(429, "slow down"), Trouble.UNAVAILABLE, "HTTP 429: slow down", 0),
        (failed(404, "no such model"), Trouble.REFUSED, "HTTP 404: no such model", 0),
        (Reply(b"{}"), Trouble.UNUSABLE, "the answer is empty", None),
        (Reply(b"[" * 100_000), Trouble.UNUSABLE, "not a chat completion", None),
        (said(None, finish="content_filter"), Trouble.UNUSABLE, "a content filter", 100),
        (said([{"type": "text", "text": "in parts"}], "length"),  # type: ignore[arg-type]
         Trouble.UNUSABLE, "cut short", 100),
        (Reply(said("late").body, seconds=1.0), Trouble.UNAVAILABLE, "no answer within 0.4 s",
         None),
    ],
)  # fmt: skip
def test_troubles_are_told_apart(
    reply: Reply, trouble: Trouble, words: str, tokens: int | None
) -> None:
    with serving([reply]) as chat:
        completion = ask(chat.url, timeout=0.4)
    assert completion.trouble is trouble
    assert words in completion.error
    assert completion.prompt_tokens == tokens
    assert "\n" not in completion.error


def test_nobody_listens() -> None:
    completion = ask(unused_url())
    assert completion.trouble is Trouble.UNAVAILABLE
    assert "the connection failed" in completion.error


def test_an_endpoint_says_what_it_serves() -> None:
    with serving([], models=("a", "b")) as chat:
        listed = asyncio.run(
            OpenAIChat([], chat.url, timeout=5, retries=0, answer_tokens=1).served_models()
        )
    assert listed == ["a", "b"]


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://127.0.0.1:80/v1", True), ("http://localhost/v1", True), ("http://[::1]:9/v1", True),
     ("http://10.0.0.1/v1", False), ("https://localhost.example/v1", False), (None, False)],
)  # fmt: skip
def test_what_is_local(url: str | None, local: bool) -> None:
    assert is_local(url) is local


def run(command: str, timeout: float = 20.0, retries: int = 0) -> Completion:
    model = CommandModel(command, [Model("mine")], timeout=timeout, retries=retries)
    return asyncio.run(model.complete(7, "mine", PROMPT))


def test_a_program_reads_the_prompt_and_answers() -> None:
    done = run('printf "%s/%s: " $KERNELMILL_QUESTION $KERNELMILL_MODEL; cat')
    assert done.text == "7/mine: be brief\n\nsay hello"
    assert run("printf 'caf\\377'").text == "caf\ufffd"
    assert run("echo no need to read").text == "no need to read\n"


@pytest.mark.parametrize(
    ("command", "trouble", "words"),
    [
        ("true", Trouble.UNUSABLE, "the answer is empty"),
        ("echo bad luck >&2; exit 3", Trouble.UNAVAILABLE, "status 3: bad luck"),
        ("no-such-program-at-all", Trouble.UNAVAILABLE, "status 127"),
        ("sleep 60", Trouble.UNAVAILABLE, "no answer within 0.3 s"),
        ("yes | head -c 17000000", Trouble.UNAVAILABLE, "larger than 16 MiB"),
    ],
)
def test_a_program_that_fails(command: str, trouble: Trouble, words: str) -> None:
    done = run(command, timeout=0.3 if "sleep" in command else 20)
    assert done.trouble is trouble
    assert words in done.error


def test_a_program_is_killed_with_all_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    run(f"sleep 300 & echo $! > {mark}; wait", timeout=0.5)
    pid = int(mark.read_text())
    for _ in range(100):
        if not alive(pid):
            return
        time.sleep(0.02)
    pytest.fail("the child still runs")


def test_a_program_is_tried_again(tmp_path: Path) -> None:
    mark = tmp_path / "once"
    done = run(f"if [ -e {mark} ]; then echo fine; else touch {mark}; exit 1; fi", retries=1)
    assert done.text == "fine\n"


def test_a_recording_says_the_same_again(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "kept", fresh=True)
    script = Script("rewrite", ("ab" * 32,), "m", 3)
    recorder.keep(1, script, "a kernel takes 3.20 ms, 12 % of it", Completion("m", 2.0, "one"))
    recorder.keep(2, script, "another", Completion("m", 2.0, trouble=Trouble.UNUSABLE, error="e"))
    replay = Replay(tmp_path / "kept")
    assert [m.name for m in replay.models] == ["m"]
    assert replay.script(1) == script
    measured_again = Prompt("", "", "")
    first = asyncio.run(replay.complete(1, "m", measured_again))
    second = asyncio.run(replay.complete(2, "m", measured_again))
    assert (first.text, second.text, second.error) == ("one", None, "e")
    with pytest.raises(LookupError, match="at its end"):
        replay.script(3)
    with pytest.raises(ConfigError, match="holds a recording already"):
        Recorder(tmp_path / "kept", fresh=True)


def test_measured_figures_are_masked_and_nothing_else() -> None:
    assert prompt_key("takes 3.20 ms, 12% of 41 GB/s") == prompt_key("takes 1 s, 9% of 39 GB/s")
    assert prompt_key("TILE = 64") != prompt_key("TILE = 32")
    assert prompt_key("for (i = 0; i < 8; i++) s[i]") != prompt_key("for (i = 0; i < 4; i++) s[i]")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda folder: None, "holds no recorded answers"),
        (lambda folder: (folder / "0001.json").write_text("{}"), "not a recorded answer: number"),
        (lambda folder: (folder / "0001.json").write_text("["), "not a recorded answer"),
    ],
)
def test_a_damaged_recording(tmp_path: Path, prepare: Callable[[Path], object], words: str) -> None:
    prepare(tmp_path)
    with pytest.raises(ConfigError, match=words):
        Replay(tmp_path)


def test_the_key_does_not_come_from_anywhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one")
    with serving([failed(403, "key sk-one may not")]) as chat:
        completion = ask(chat.url)
    assert chat.keys == ["Bearer sk-one"]
    assert completion.error == "HTTP 403: key [key] may not"
    assert os.environ["OPENAI_API_KEY"] == "sk-one"

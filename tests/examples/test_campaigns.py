"""The recorded campaigns are whole, and say where they come from."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.answers.reading import read_answer
from agent.models.completer import Prompt
from agent.models.recording import Replay
from db.archive import Archive
from db.records import CallState
from evaluator.candidate import Candidate
from evaluator.outcome import Outcome

CAMPAIGNS = Path(__file__).parent.parent.parent / "examples" / "campaigns"
FILES = sorted(CAMPAIGNS.glob("*.jsonl.zst"))
LONG = "bias_gelu cumsum histogram jacobi2d layernorm rmsnorm_residual softmax spmv_csr".split()
FEWEST_ANSWERS = 15
"""Of the long campaigns. The others have one kernel by hand, which the embedded proposer tuned."""
AUTHOR = "claude-by-hand"


def fewest_answers(problem: str) -> int:
    return FEWEST_ANSWERS if problem in LONG else 1


def problem_of(file: Path) -> str:
    return file.name.partition(".")[0]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    archive = Archive.open(tmp_path_factory.mktemp("campaigns") / "campaigns.db")
    for file in FILES:
        archive.take_in(file)
    return archive


def test_there_are_enough_of_them() -> None:
    assert {problem_of(file) for file in FILES} > set(LONG)
    recordings = {folder.name for folder in (CAMPAIGNS / "recordings").iterdir()}
    assert recordings == {problem_of(file) for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=problem_of)
def test_every_step_is_there(file: Path, imported: Archive) -> None:
    problem = problem_of(file)
    summary = next(c for c in imported.campaigns() if c.problem == problem)
    state = imported.load_campaign(summary.id)
    answered = [call for call in state.calls if call.state is CallState.CONCLUDED]
    assert len(answered) >= fewest_answers(problem)
    assert {call.figures.model for call in answered} == {AUTHOR}
    by_author = [p for p in state.proposals if p.proposer == "command"]
    others = {p.operator for p in state.proposals if p not in by_author}
    assert others == {"seed"} or problem not in LONG
    assert all(p.evaluation is not None for p in state.proposals)
    right = sum(p.evaluation.outcome is Outcome.OK for p in by_author if p.evaluation)
    assert right >= (10 if problem in LONG else 1)


@pytest.mark.parametrize("file", FILES, ids=problem_of)
def test_recorded_answers_are_the_kernels_of_the_archive(file: Path, imported: Archive) -> None:
    problem = problem_of(file)
    replay = Replay(CAMPAIGNS / "recordings" / problem)
    summary = next(c for c in imported.campaigns() if c.problem == problem)
    state = imported.load_campaign(summary.id)
    known = {p.candidate.digest: p.candidate for p in state.proposals}
    found = set()
    for call in (c for c in state.calls if c.figures.error is None):
        script = replay.script(call.number)
        recorded = asyncio.run(replay.complete(call.number, AUTHOR, Prompt("", "", "")))
        if script is None or recorded.text is None:
            continue
        parent = known[script.parents[0]]
        answer = read_answer(script.operator, recorded.text, parent.backend, parent.source)
        found.add(Candidate(problem, parent.backend, answer.source).digest)
    assert len(found & set(known)) >= fewest_answers(problem)

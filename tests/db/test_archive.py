"""The contract: what goes in comes back, in order, once, and mistakes are refused whole."""

from __future__ import annotations

import dataclasses

import pytest

from db.archive import Archive
from db.errors import ArchiveError
from db.records import (
    CampaignStatus,
    Elite,
    Event,
    EventKind,
    Lesson,
    ModelCall,
    NoiseFloor,
    Question,
    Spending,
)
from evaluator.candidate import Candidate
from evaluator.evaluation import Interval, Speedup
from evaluator.outcome import Outcome
from tests.db.samples import TARGET, campaign, comparison, judged, kernel, propose, refused


def test_a_campaign_comes_back_whole(archive: Archive, place: str) -> None:
    record = campaign(archive)
    seed, child = kernel(0), kernel(1)
    propose(archive, record.id, seed)
    elite = Elite(0, "avx512/parallel", seed.digest, 1.0)
    archive.record_evaluation(record.id, judged(seed, 1.0), random_state="state 9", elite=elite)
    propose(archive, record.id, child, (seed.digest,))
    archive.close()
    with Archive.open(place) as reopened:
        state = reopened.load_campaign(record.id)
    assert state.record.config == {"evaluations": 60}
    assert state.record.seed == 7
    assert state.record.status is CampaignStatus.RUNNING
    assert state.random_state == f"after {child.digest[:6]}"
    assert [p.candidate for p in state.proposals] == [seed, child]
    assert [p.evaluation for p in state.proposals] == [judged(seed, 1.0), None]
    assert [p.candidate for p in state.pending] == [child]
    assert state.proposals[1].parents == (seed.digest,)
    assert state.proposals[1].rules == ("vectorise", "unroll")
    assert state.elites == (elite,)


def test_the_random_state_of_an_evaluation_is_kept(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    archive.record_evaluation(record.id, judged(kernel(0)), random_state="state 9")
    assert archive.load_campaign(record.id).random_state == "state 9"


def test_a_candidate_proposed_again_is_one_candidate_and_two_proposals(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    archive.record_evaluation(record.id, refused(kernel(0)))
    again = archive.record_candidate(
        record.id,
        kernel(0),
        operator="tune",
        proposer="transform",
        parents=[kernel(0).digest],
        description="",
        random_state="",
    )
    assert (again.ordinal, again.repeated, again.evaluation) == (2, True, refused(kernel(0)))
    state = archive.load_campaign(record.id)
    assert [p.operator for p in state.proposals] == ["seed", "tune"]
    assert state.pending == ()
    assert len(archive.show(kernel(0).digest).proposals) == 2


def test_an_evaluation_settles_every_proposal_of_its_candidate(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    propose(archive, record.id, kernel(0))
    archive.record_evaluation(record.id, judged(kernel(0)))
    assert archive.load_campaign(record.id).pending == ()


def test_an_equal_evaluation_is_stored_once_and_can_be_adopted(archive: Archive) -> None:
    first, second = campaign(archive), campaign(archive)
    for record in (first, second):
        propose(archive, record.id, kernel(0))
        archive.record_evaluation(record.id, judged(kernel(0)))
        archive.record_evaluation(record.id, judged(kernel(0)))
    assert len(archive.show(kernel(0).digest).evaluations) == 1
    assert archive.load_campaign(second.id).proposals[0].evaluation == judged(kernel(0))


def test_a_different_evaluation_is_a_further_one(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    archive.record_evaluation(record.id, judged(kernel(0), 2.0))
    archive.record_evaluation(record.id, judged(kernel(0), 3.0))
    assert len(archive.show(kernel(0).digest).evaluations) == 2
    assert archive.evaluation_of(kernel(0).digest, TARGET) == judged(kernel(0), 3.0)


def test_an_elite_takes_the_place_of_the_one_before(archive: Archive) -> None:
    record = campaign(archive)
    for number in (0, 1):
        propose(archive, record.id, kernel(number))
        elite = Elite(0, "cell", kernel(number).digest, 1.0 + number)
        archive.record_evaluation(record.id, judged(kernel(number)), elite=elite)
    moved = Elite(1, "cell", kernel(1).digest, 2.0)
    archive.record_elites(record.id, [moved], random_state="migrated")
    state = archive.load_campaign(record.id)
    assert state.elites == (Elite(0, "cell", kernel(1).digest, 2.0), moved)
    assert state.random_state == "migrated"


def test_noise_floor_and_baselines_are_replaced_whole(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    archive.record_noise_floor(record.id, 0.5, [comparison("self", seed=s) for s in range(3)])
    archive.record_noise_floor(record.id, 0.01, [comparison("self", seed=5)])
    speedups = (Speedup("eager", Interval(1.5, 1.4, 1.6), True, True),)
    archive.record_baselines(record.id, kernel(0).digest, [comparison("eager")], speedups)
    state = archive.load_campaign(record.id)
    assert state.noise_floor == NoiseFloor(0.01, (comparison("self", seed=5),))
    assert state.baselines is not None
    assert state.baselines.candidate == kernel(0).digest
    assert state.baselines.comparisons == (comparison("eager"),)
    assert state.baselines.speedups == speedups


def question(number: int, cost: float | None = 0.5) -> Question:
    """A question that is expected to come to 1000 + 200 tokens."""
    return Question(
        number, "m", "rewrite", (kernel(0).digest,), "cpp/rewrite@1", f"make it fast {number}",
        1000, 200, cost,
    )  # fmt: skip


def test_a_call_counts_from_its_announcement(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    first = archive.announce_call(record.id, question(1), "state 1")
    second = archive.announce_call(record.id, question(2), "state 2")
    third = archive.announce_call(record.id, question(3, cost=None), "state 3")
    assert archive.load_campaign(record.id).spending == Spending(3, 3000, 600, 1.0, 1)
    archive.record_answer(record.id, first, ModelCall("m", 1.5, 100, 20, 0.25), "```cpp ...")
    archive.record_answer(record.id, second, ModelCall("m", 9.0, error="timed out"), None)
    state = archive.load_campaign(record.id)
    assert state.spending == Spending(3, 2100, 420, 0.75, 1)
    assert state.random_state == "state 3"
    assert [c.state for c in state.calls] == ["answered", "answered", "asked"]
    assert [c.completion for c in state.calls] == ["```cpp ...", None, None]
    archive.record_candidate(
        record.id, kernel(1), operator="rewrite", proposer="openai", parents=[kernel(0).digest],
        description="", random_state="", call=first,
    )  # fmt: skip
    archive.conclude_call(record.id, third, "lost")
    state = archive.load_campaign(record.id)
    assert [c.state for c in state.calls] == ["concluded", "answered", "concluded"]
    assert state.calls[0].parents == (kernel(0).digest,)
    assert state.calls[2].figures.error == "lost"
    proposal = archive.show(kernel(1).digest).proposals[0]
    assert proposal.model_call == ModelCall("m", 1.5, 100, 20, 0.25)
    assert (proposal.prompt, proposal.completion) == ("make it fast 1", "```cpp ...")


def test_a_call_of_another_campaign_is_refused(archive: Archive) -> None:
    record, other = campaign(archive), campaign(archive)
    call = archive.announce_call(record.id, question(1), "")
    with pytest.raises(ArchiveError, match=f"campaign {other.id} has no model call {call}"):
        archive.conclude_call(other.id, call, "lost")


def test_lessons_come_back_newest_first(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    first = Lesson("unroll by four", kernel(0).digest, 1.2, True)
    second = Lesson("tiling did nothing")
    archive.record_lesson(record.id, first)
    archive.record_lesson(record.id, second)
    assert archive.lessons("softmax", TARGET) == [second, first]
    assert archive.lessons("gemm") == []


def test_the_last_unfinished_campaign_is_the_one_worked_on_last(archive: Archive) -> None:
    assert archive.last_unfinished_campaign() is None
    first, second, third = (campaign(archive) for _ in range(3))
    archive.finish_campaign(third.id, "finished", "60 evaluations")
    propose(archive, first.id, kernel(0))
    archive.finish_campaign(second.id, CampaignStatus.STOPPED, "Ctrl-C")
    last = archive.last_unfinished_campaign()
    assert last is not None
    assert (last.id, last.status, last.reason) == (second.id, CampaignStatus.STOPPED, "Ctrl-C")
    resumed = archive.resume_campaign(second.id)
    assert resumed.record.status is CampaignStatus.RUNNING


def test_active_seconds_count_only_what_ran(archive: Archive, place: str) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    spent = archive.load_campaign(record.id).record.active_seconds
    assert spent > 0
    with Archive.open(place) as later:
        assert later.resume_campaign(record.id).record.active_seconds == spent
        later.finish_campaign(record.id, "finished")
        assert later.load_campaign(record.id).record.active_seconds > spent


def test_another_specification_is_another_revision(archive: Archive) -> None:
    one = archive.ensure_problem("softmax", {"factor": 8.0, "axes": ("rows", "cols")})
    assert archive.ensure_problem("softmax", {"axes": ["rows", "cols"], "factor": 8.0}) == one
    two = archive.ensure_problem("softmax", {"factor": 4.0})
    assert two != one
    archive.ensure_target(TARGET, {})
    old = archive.start_campaign(one, "cpp", TARGET, {}, 0, "")
    propose(archive, old.id, kernel(0))
    archive.record_evaluation(old.id, judged(kernel(0)))
    assert archive.evaluation_of(kernel(0).digest, TARGET, one) == judged(kernel(0))
    assert archive.evaluation_of(kernel(0).digest, TARGET, two) is None


def test_identical_machine_code_is_found(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    evaluation = judged(kernel(0))
    assert evaluation.object_hash is not None
    archive.record_evaluation(record.id, evaluation)
    assert archive.evaluation_by_object(evaluation.object_hash, "softmax", TARGET) == evaluation
    assert archive.evaluation_by_object("ab" * 32, "softmax", TARGET) is None
    assert archive.evaluation_by_object(evaluation.object_hash, "softmax", "other") is None
    assert archive.evaluation_by_object(evaluation.object_hash, "gemm", TARGET) is None


def test_our_own_failures_are_not_taken_for_the_machine_codes(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    failed = dataclasses.replace(refused(kernel(0), Outcome.INFRA_ERROR), object_hash="cd" * 32)
    archive.record_evaluation(record.id, failed)
    assert archive.evaluation_by_object("cd" * 32, "softmax", TARGET) is None


def test_an_evaluation_without_a_campaign(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    archive.record_evaluation(None, judged(kernel(0)))
    assert archive.evaluation_of(kernel(0).digest, TARGET) == judged(kernel(0))
    assert len(archive.load_campaign(record.id).pending) == 1


@pytest.mark.parametrize("text", ["", "\0\x7f", "lone \ud800 surrogate", "ü" * 10_000])
def test_any_source_comes_back(archive: Archive, text: str) -> None:
    record = campaign(archive)
    candidate = Candidate("softmax", "cpp", text)
    call = archive.announce_call(record.id, question(1), "")
    archive.record_answer(record.id, call, ModelCall(text, 1.0, error=text), text)
    archive.record_candidate(
        record.id,
        candidate,
        operator="rewrite",
        proposer=text,
        parents=[],
        description=text,
        random_state=text.encode("utf-8", "replace").decode(),
        call=call,
    )
    assert archive.candidate(candidate.digest) == candidate
    assert archive.show(candidate.digest).proposals[0].completion == text


def test_a_name_that_no_database_holds_is_unknown(archive: Archive) -> None:
    with pytest.raises(ArchiveError, match="nothing on problem"):
        archive.top("\ud800\0")


def test_mistakes_are_refused_whole(archive: Archive) -> None:
    record = campaign(archive)
    with pytest.raises(ArchiveError, match="no campaign 99"):
        propose(archive, 99, kernel(0))
    with pytest.raises(ArchiveError, match="is not in the archive"):
        propose(archive, record.id, kernel(0), ("ab" * 32,))
    with pytest.raises(ArchiveError, match="is not in the archive"):
        archive.record_evaluation(record.id, judged(kernel(0)))
    other = campaign(archive)
    propose(archive, other.id, kernel(0))
    with pytest.raises(ArchiveError, match="was not proposed in campaign"):
        archive.record_evaluation(record.id, judged(kernel(0)))
    with pytest.raises(ArchiveError, match="cannot go into campaign"):
        archive.record_evaluation(other.id, judged(kernel(0), target="cuda-sm90"))
    with pytest.raises(ArchiveError, match="target 'nowhere' is not in the archive"):
        archive.start_campaign("softmax", "cpp", "nowhere", {}, 0, "")
    assert archive.load_campaign(record.id).proposals == ()
    assert archive.show(kernel(0).digest).evaluations == ()


def test_campaigns_are_found_by_number_and_by_key(archive: Archive) -> None:
    record = campaign(archive)
    assert archive.load_campaign(str(record.id)).record.key == record.key
    assert archive.load_campaign(record.key[:6]).record.id == record.id
    assert archive.load_campaign(record.key.upper()).record.id == record.id
    for unknown in ("0", "77", record.key[:3] + "g", "", "f" * 17):
        with pytest.raises(ArchiveError, match="archive ls"):
            archive.load_campaign(unknown)


def test_what_happens_beside_evaluations_comes_back_in_order(archive: Archive) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    gone = [
        Event(EventKind.EXTINCTION, {"island": n, "best": 1.5, "settlers": "ab cd"}) for n in (1, 0)
    ]
    archive.record_evaluation(record.id, judged(kernel(0)), happened=gone)
    assert archive.load_campaign(record.id).events == tuple(gone)

"""Records leave an archive, come into another, and are the same there; nothing comes in twice."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from db.archive import Archive
from db.errors import ArchiveError
from db.exchange import jsonl, reference
from db.exchange.report import Imported
from db.records import Elite
from db.rows import Standing
from evaluator.candidate import Candidate
from evaluator.evaluation import Evidence, Interval
from evaluator.outcome import Outcome
from tests.db.samples import TARGET, campaign, full_campaign, judged, kernel, propose, refused

FORMS = ("export.jsonl", "export.jsonl.gz", "export.jsonl.zst", "tables")


@pytest.fixture
def other(tmp_path: Path) -> Archive:
    """Another archive, empty."""
    return Archive.open(tmp_path / "other.db")


def content(archive: Archive, folder: Path) -> list[dict[str, object]]:
    """All records but the first, which says when they were written."""
    archive.export(folder / "content.jsonl")
    lines = (folder / "content.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines[1:]]


def sums(report: Imported) -> tuple[int, int, int]:
    """New, known and differing records of all kinds."""
    fates = [(t.new, t.known, t.differing) for t in report.tallies]
    new, known, differing = (sum(column) for column in zip(*fates, strict=True))
    return new, known, differing


@pytest.mark.parametrize("form", FORMS)
def test_what_goes_out_comes_in_the_same(
    archive: Archive, other: Archive, tmp_path: Path, form: str
) -> None:
    if form == "tables":
        pytest.importorskip("pyarrow")
    full_campaign(archive)
    odd = Candidate("softmax", "cpp", "lone \ud800 surrogate", {})
    propose(archive, 1, odd)
    not_numbers = Evidence("numeric-policy", "x\0y", "1x1", {"got": float("nan"), "limit": None})
    archive.record_evaluation(
        1, dataclasses.replace(refused(odd), evidence=(not_numbers,), object_hash="ab" * 32)
    )
    done = archive.export(tmp_path / form)
    assert done.counts == {
        "problem": 1, "target": 1, "candidate": 4, "campaign": 1, "call": 1,
        "evaluation": 5, "proposal": 4, "elite": 1, "lesson": 1, "event": 2,
    }  # fmt: skip
    assert sums(other.take_in(tmp_path / form)) == (21, 0, 0)
    assert content(other, tmp_path) == content(archive, tmp_path)
    for target in (other, archive):
        assert sums(target.take_in(tmp_path / form)) == (0, 21, 0)
    assert other.candidate(odd.digest) == odd
    before, after = archive.load_campaign(1), other.load_campaign(1)
    assert after.noise_floor == before.noise_floor
    assert after.baselines == before.baselines
    assert after.elites == before.elites
    assert after.events == before.events
    assert len(after.events) == 2
    assert after.spending == before.spending
    mine, theirs = (a.show(kernel(2).digest).proposals[0] for a in (archive, other))
    assert theirs == mine
    assert (theirs.prompt, theirs.completion) == ("make it fast", "```cpp ...")


def test_tables_have_a_card_and_typed_columns(archive: Archive, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    full_campaign(archive)
    archive.export(tmp_path / "tables")
    table = parquet.read_table(tmp_path / "tables" / "evaluations.parquet")
    first = table.column("comparisons").to_pylist()[0][0]
    assert first["estimate"] == 1.0
    assert len(first["rounds"]["candidate"]) == 20
    card = (tmp_path / "tables" / "README.md").read_text()
    assert "data_files: evaluations.parquet" in card
    assert "| evaluations | 4 |" in card
    with pytest.raises(ArchiveError, match="is there already"):
        archive.export(tmp_path / "tables")


def test_some_campaigns_with_what_they_refer_to(
    archive: Archive, other: Archive, tmp_path: Path
) -> None:
    full_campaign(archive)
    second = campaign(archive, "cpu-other")
    propose(archive, second.id, kernel(7), ())
    propose(archive, second.id, kernel(8), (kernel(1).digest,))
    archive.export(tmp_path / "one.jsonl", campaigns=[second.key[:6]])
    other.take_in(tmp_path / "one.jsonl")
    assert [c.key for c in other.campaigns()] == [second.key]
    assert other.candidate(kernel(1).digest) == kernel(1)
    with pytest.raises(ArchiveError, match="no candidate begins"):
        other.candidate(kernel(2).digest)
    archive.export(tmp_path / "two.jsonl", target=TARGET, rounds=False)
    assert sums(other.take_in(tmp_path / "two.jsonl"))[2] == 0
    assert [c.target for c in other.campaigns()] == [TARGET, "cpu-other"]
    assert other.show(kernel(1).digest).evaluations[0].evaluation.comparisons[0].rounds == ()
    whole = tmp_path / "whole.jsonl"
    archive.export(whole)
    assert sums(other.take_in(whole))[0] == 0, "with its rounds it is the same evaluation"


def test_claims_are_no_findings(archive: Archive, other: Archive, tmp_path: Path) -> None:
    full_campaign(archive)
    archive.export(tmp_path / "a.jsonl")
    other.take_in(tmp_path / "a.jsonl")
    best, row = other.top()[0], other.campaigns()[0]
    assert (best.candidate, best.standing, best.confirmed) == (
        kernel(1).digest, Standing.CLAIM, False,
    )  # fmt: skip
    assert (row.imported, row.confirmed) == ("a.jsonl", False)
    assert other.evaluation_of(kernel(1).digest, TARGET) is None
    object_hash = judged(kernel(1)).object_hash or ""
    assert other.evaluation_by_object(object_hash, "softmax", TARGET) is None
    assert other.lessons() == []
    assert other.last_unfinished_campaign() is None
    assert other.elites()[0].claimed
    for attempt in (other.resume_campaign, lambda c: propose(other, int(c), kernel(9))):
        with pytest.raises(ArchiveError, match="imported and its results are claims"):
            attempt(1)
    mine = campaign(other)
    propose(other, mine.id, kernel(1))
    assert other.load_campaign(mine.id).pending, "a claim settles nothing"


def test_a_claim_is_one_until_it_is_verified_here(
    archive: Archive, other: Archive, tmp_path: Path
) -> None:
    full_campaign(archive)
    archive.export(tmp_path / "a.jsonl")
    other.take_in(tmp_path / "a.jsonl")
    other.record_recheck(judged(kernel(1), 1.7), 1)
    other.record_recheck(dataclasses.replace(refused(kernel(0), Outcome.INCORRECT)), 1)
    (best,) = other.top()
    assert (best.candidate, best.standing, best.confirmed) == (
        kernel(1).digest, Standing.FOUND, True,
    )  # fmt: skip
    assert best.speedup == Interval(1.7, 1.7 * 0.97, 1.7 * 1.02)
    entries = other.show(kernel(1).digest).evaluations
    assert [e.standing for e in entries] == [Standing.VERIFIED, Standing.VERIFIED, Standing.FOUND]
    assert other.show(kernel(0).digest).evaluations[0].standing is Standing.REFUTED
    assert sums(other.take_in(tmp_path / "a.jsonl"))[0] == 0
    assert other.top() == [best], "a claim that comes later takes nobody's place"


def test_a_campaign_that_has_gone_on_is_brought_up_to_date(
    archive: Archive, other: Archive, tmp_path: Path
) -> None:
    record = campaign(archive)
    propose(archive, record.id, kernel(0))
    archive.export(tmp_path / "early.jsonl")
    archive.record_evaluation(
        record.id, judged(kernel(0)), elite=Elite(0, "c", kernel(0).digest, 2.0)
    )
    propose(archive, record.id, kernel(1), (kernel(0).digest,))
    archive.finish_campaign(record.id, "finished")
    archive.export(tmp_path / "late.jsonl")
    for name in ("early", "late", "early"):
        other.take_in(tmp_path / f"{name}.jsonl")
    state = other.load_campaign(1)
    assert [p.evaluation for p in state.proposals] == [judged(kernel(0)), None]
    assert (state.record.status, len(state.elites)) == ("finished", 1)


def test_differences_are_reported_and_what_is_here_stays(
    archive: Archive, other: Archive, tmp_path: Path
) -> None:
    record = full_campaign(archive)
    archive.export(tmp_path / "a.jsonl")
    other.take_in(tmp_path / "a.jsonl")
    archive.ensure_target(TARGET, {"cores": 64})
    report = archive.take_in(tmp_path / "a.jsonl")
    assert report.conflicts == (f"target {TARGET}: other facts than here; those here stay",)
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    for line in lines:
        if line["kind"] == "proposal" and line["ordinal"] == 3:
            line.update(candidate=kernel(1).digest, evaluation=None)
        if line["kind"] == "proposal" and line["ordinal"] == 2:
            line["ordinal"] = 9
    changed = tmp_path / "b.jsonl"
    changed.write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = archive.take_in(changed)
    assert [c.partition(":")[0] for c in report.conflicts[1:]] == [
        f"campaign {record.key} is of this archive, which has no such proposal 9",
        f"campaign {record.key}",
    ]
    before = other.load_campaign(1).proposals
    assert "proposal 3 is another candidate" in other.take_in(changed).conflicts[0]
    assert other.load_campaign(1).proposals[:3] == before


def test_nothing_of_one_machine_goes_out(archive: Archive, tmp_path: Path) -> None:
    problem = archive.ensure_problem("softmax", {"inputs": []})
    archive.ensure_target(TARGET, {})
    config = {"problem": "/home/me/softmax", "base_url": "http://10.0.0.1/v1", "islands": 2}
    archive.start_campaign(problem, "cpp", TARGET, config, 0, "")
    archive.export(tmp_path / "a.jsonl")
    text = (tmp_path / "a.jsonl").read_text()
    assert '"islands":2' in text
    assert "/home/me" not in text
    assert "10.0.0.1" not in text


def test_mistakes(archive: Archive, tmp_path: Path) -> None:
    full_campaign(archive)
    for arguments, message in (
        ({"path": tmp_path / "a.csv"}, "ends in .jsonl"),
        ({"path": tmp_path / "a.jsonl", "campaigns": ["77"]}, "no campaign '77'"),
        ({"path": tmp_path / "a.jsonl", "problem": "gemm"}, "it knows softmax"),
        ({"path": tmp_path / "absent" / "a.jsonl"}, "cannot be written"),
    ):
        with pytest.raises(ArchiveError, match=message):
            archive.export(**arguments)
    assert list(tmp_path.glob("*.jsonl")) == []
    with pytest.raises(ArchiveError, match="no such file"):
        archive.take_in(tmp_path / "a.jsonl")
    (tmp_path / "a.txt").touch()
    with pytest.raises(ArchiveError, match="not an export"):
        archive.take_in(tmp_path / "a.txt")


def test_what_the_format_does_not_allow_is_told(archive: Archive, tmp_path: Path) -> None:
    problem = archive.ensure_problem("my/problem", {})
    archive.ensure_target(TARGET, {})
    archive.start_campaign(problem, "cpp", TARGET, {}, 0, "")
    with pytest.raises(ArchiveError, match="ProblemRecord cannot be exported: name: String"):
        archive.export(tmp_path / "a.jsonl")
    assert not list(tmp_path.glob("*a.jsonl*"))


def test_the_description_of_the_format_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "archive_format.md"
    assert page.read_text(encoding="utf-8") == reference.reference(), "run scripts/docs"
    assert jsonl.SUFFIXES == (".jsonl", ".jsonl.zst", ".jsonl.gz")

"""The loop with its real parts: archive, transform engine, compiler, sandbox, clock."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from agent import campaign, launch
from agent.campaign import StopSign
from agent.judge import Judge
from agent.observer import Beginning, Silent, Standing
from agent.report import Report
from agent.search import Verdict
from db.archive import Archive
from db.records import CampaignStatus
from evaluator.candidate import Candidate
from evaluator.cascade import NoiseFloor
from evaluator.errors import ConfigError, KernelmillError
from evaluator.outcome import Outcome
from sandbox.select import choose
from tests.agent.tiny import WRONG_SEED, settings


class Diary(Silent):
    """Writes down what it is told; may raise the stop sign after some evaluations."""

    def __init__(self, stop: StopSign | None = None, after: int = 0) -> None:
        self.beginnings: list[Beginning] = []
        self.verdicts: list[Verdict] = []
        self.standings: list[Standing] = []
        self.floors: list[float] = []
        self.stages: set[str] = set()
        self._stop, self._after = stop, after

    def began(self, beginning: Beginning) -> None:
        self.beginnings.append(beginning)

    def stage(self, name: str, detail: str) -> None:
        self.stages.add(name)

    def noise_floor(self, floor: float) -> None:
        self.floors.append(floor)

    def judged(self, verdict: Verdict, standing: Standing) -> None:
        self.verdicts.append(verdict)
        self.standings.append(standing)
        if self._stop is not None and len(self.verdicts) >= self._after:
            self._stop.raised = True


def run(archive: Archive, folder: Path, diary: Diary, stop: StopSign, **more: object) -> Report:
    config = settings(folder, **more)  # type: ignore[arg-type]
    return asyncio.run(launch.start(config, archive, diary, stop, want_baselines=False))


def go_on(archive: Archive, folder: Path, campaign: int, diary: Diary, **more: object) -> Report:
    config = settings(folder, **more)  # type: ignore[arg-type]
    return asyncio.run(
        launch.resume(campaign, config, archive, diary, StopSign(), want_baselines=False)
    )


def evaluated(archive: Archive, campaign: int) -> list[str]:
    """Digests with an evaluation, in order of proposal; each must appear once."""
    proposals = archive.load_campaign(campaign).proposals
    found = [p.candidate.digest for p in proposals if p.evaluation is not None]
    assert len(found) == len(set(found))
    return found


@pytest.mark.slow
def test_a_campaign_from_seed_to_report(archive: Archive, folder: Path) -> None:
    diary = Diary()
    report = run(archive, folder, diary, StopSign(), evaluations=3)
    state = archive.load_campaign(report.campaign)
    assert (report.status, state.record.status) == (CampaignStatus.FINISHED,) * 2
    assert report.reason == "all 3 evaluations are done"
    assert report.evaluations == 3
    assert state.proposals[0].operator == "seed"
    assert state.proposals[0].candidate.digest == report.seed
    assert state.pending == ()
    assert len(evaluated(archive, report.campaign)) == 4 + report.duplicates
    assert sum(report.outcomes.values()) == 4
    assert state.noise_floor is not None
    assert [state.noise_floor.floor] == diary.floors
    assert diary.beginnings[0].judged == 0
    isolation = archive.load_campaign(report.campaign).record.config["isolation"]
    assert isolation == {"provider": choose().name, "warning": choose().warning}
    assert diary.standings[-1].evaluations == 3
    assert {"build", "verify", "race"} <= diary.stages
    best = archive.evaluation_of(report.best or "", report.target)
    assert best is not None
    assert best.outcome is Outcome.OK
    if report.found:
        assert report.speedup is not None
        assert report.speedup.confirmed
        assert report.best in {e.candidate for e in state.elites}


def test_a_first_look_at_a_restless_moment_is_taken_again(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([0.2, 0.004])

    async def noise_floor(judge: Judge, candidate: Candidate) -> NoiseFloor:
        return NoiseFloor(next(told), ())

    monkeypatch.setattr(Judge, "noise_floor", noise_floor)
    monkeypatch.setattr(campaign, "LISTEN_EVERY", 1)
    diary = Diary()
    report = run(archive, folder, diary, StopSign(), evaluations=2, batch_size=1)
    assert diary.floors == [0.2, 0.004]
    assert report.noise_floor == 0.004
    recorded = archive.load_campaign(report.campaign).noise_floor
    assert recorded is not None
    assert recorded.floor == 0.004


def test_stopped_and_resumed_nothing_is_lost_or_repeated(archive: Archive, folder: Path) -> None:
    stop = StopSign()
    diary = Diary(stop, after=2)
    first = run(archive, folder, diary, stop, evaluations=3)
    assert first.status is CampaignStatus.INTERRUPTED
    before = archive.load_campaign(first.campaign)
    assert len(before.pending) >= 1
    done = evaluated(archive, first.campaign)
    assert archive.last_unfinished_campaign() == before.record
    more = Diary()
    report = go_on(archive, folder, first.campaign, more, evaluations=3)
    assert report.status is CampaignStatus.FINISHED
    assert report.evaluations == 3
    after = archive.load_campaign(first.campaign)
    assert after.pending == ()
    assert evaluated(archive, first.campaign)[: len(done)] == done
    judged_again = {v.evaluation.candidate for v in more.verdicts} & set(done)
    assert not judged_again
    assert more.beginnings[0].judged == len(done)
    firsts = [p.candidate.digest for p in before.pending]
    assert [v.evaluation.candidate for v in more.verdicts][: len(firsts)] == firsts
    assert after.record.active_seconds > before.record.active_seconds
    assert report.seconds == pytest.approx(after.record.active_seconds, abs=0.5)


def test_a_finished_campaign_can_be_given_a_larger_budget(archive: Archive, folder: Path) -> None:
    first = run(archive, folder, Diary(), StopSign(), evaluations=1)
    same = go_on(archive, folder, first.campaign, Diary(), evaluations=1)
    assert (same.evaluations, same.best) == (1, first.best)
    larger = go_on(archive, folder, first.campaign, Diary(), evaluations=2)
    assert larger.evaluations == 2
    assert gc.get_freeze_count() == 0, "nothing is kept from being collected afterwards"


def test_a_wrong_seed_is_refused_with_its_reason(archive: Archive, folder: Path) -> None:
    (folder / "seed.cpp").write_text(WRONG_SEED)
    with pytest.raises(KernelmillError, match="the seed of 'hypotenuse' ended as incorrect: "):
        run(archive, folder, Diary(), StopSign())
    (campaign,) = archive.campaigns()
    assert len(evaluated(archive, campaign.id)) == 1
    assert archive.load_campaign(campaign.id).record.status is CampaignStatus.INTERRUPTED


def test_a_seed_without_kernel_is_refused_with_the_prototype(
    archive: Archive, folder: Path
) -> None:
    (folder / "seed.cpp").write_text("void kernel() {}\n")
    with pytest.raises(KernelmillError, match=r"no function `kernel`.*const float\* x"):
        run(archive, folder, Diary(), StopSign())


def test_a_changed_problem_is_not_resumed(archive: Archive, folder: Path) -> None:
    stop = StopSign()
    stop.raised = True
    report = run(archive, folder, Diary(), stop)
    assert report.best is None
    assert len(archive.load_campaign(report.campaign).pending) == 1
    script = folder / "problem.py"
    script.write_text(script.read_text() + "\n# changed\n")
    with pytest.raises(ConfigError, match="has changed since campaign 1"):
        go_on(archive, folder, report.campaign, Diary())


def test_another_target_is_refused_before_anything_is_recorded(
    archive: Archive, folder: Path
) -> None:
    with pytest.raises(ConfigError, match="not cuda-sm90-h200"):
        run(archive, folder, Diary(), StopSign(), target="cuda-sm90-h200")
    assert archive.campaigns() == []


def test_one_campaign_runs_in_one_process(archive: Archive, folder: Path) -> None:
    stop = StopSign()
    stop.raised = True
    report = run(archive, folder, Diary(), stop)
    record = archive.load_campaign(report.campaign).record
    with launch.alone(record), pytest.raises(ConfigError, match="running in another process"):
        go_on(archive, folder, report.campaign, Diary())

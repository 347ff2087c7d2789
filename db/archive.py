"""The archive's front door. The docstrings of `Archive` are the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from db import campaign_recording, campaigns, events, model_calls, recording
from db.call_log import CallLog
from db.database import Database
from db.errors import ArchiveError
from db.location import default_location
from db.records import (
    CampaignRecord,
    CampaignState,
    CampaignStatus,
    CandidateRecord,
    Elite,
    Event,
    Lesson,
)
from db.rows import Migration
from evaluator.candidate import Candidate
from evaluator.evaluation import Comparison, Evaluation, Speedup


class Archive(CallLog):
    """Everything that was proposed, judged and measured.

    Every method is one transaction: when a recording method returns, what it was given is on disk
    and survives `kill -9` and a power cut; when it raises, nothing of it is stored. Candidates are
    global and content-addressed; a campaign refers to them by proposals, in order. Any number of
    processes may read and write one archive at once; writers take turns.

    Every method may raise `ArchiveError`: the archive is locked for longer than `busy_seconds`,
    read-only, damaged, not reachable, or its disk is full; and where it says so below.
    """

    @classmethod
    def open(
        cls,
        location: str | Path | None = None,
        *,
        create: bool = True,
        busy_seconds: float = 15.0,
    ) -> Self:
        """Open an archive, by default making the file (and its folder) where there is none.

        Args:
            location: Path of a file or database URL; None for `db.location.default_location()`.
            create: Make an archive where there is nothing.
            busy_seconds: How long to wait for another process's transaction.

        Raises:
            ArchiveError: It is of an older layout (names `kernelmill archive migrate`), of a newer
                one, or something else than an archive; or it is missing and `create` is off.
        """
        database = Database(location or default_location(), busy_seconds)
        try:
            database.open(create=create)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @staticmethod
    def migrate(location: str | Path | None = None) -> Migration:
        """Bring an existing archive to this version's layout in one transaction."""
        database = Database(location or default_location(), busy_seconds=15.0)
        try:
            return Migration(database.shown, *database.migrate())
        finally:
            database.close()

    # ---- what campaigns stand on

    def ensure_problem(self, name: str, spec: Mapping[str, Any]) -> int:
        """The id of this revision of a problem; another `spec` under the name is another revision.

        Args:
            name: Public name.
            spec: Everything that makes results comparable (signature, workloads, policy, ...);
                JSON-like, anything else in it is stored as text.
        """
        with self._db.writing() as session:
            return campaign_recording.ensure_problem(session, name, spec)

    def ensure_target(self, name: str, facts: Mapping[str, Any]) -> int:
        """The id of a target; `facts` replace those known before (campaigns keep their own copy).

        Args:
            name: Fingerprint name.
            facts: Hardware and toolchain, calibration; JSON-like.
        """
        with self._db.writing() as session:
            return campaign_recording.ensure_target(session, name, facts)

    # ---- recording a campaign

    def start_campaign(
        self,
        problem: str | int,
        backend: str,
        target: str | int,
        config: Mapping[str, Any],
        seed: int,
        random_state: str,
    ) -> CampaignRecord:
        """Begin a campaign; it is `running` until `finish_campaign`.

        Args:
            problem: Id from `ensure_problem`, or a name (its latest revision).
            backend: Backend name.
            target: Id from `ensure_target`, or a name.
            config: The whole configuration, JSON-like.
            seed: Below 2**63.
            random_state: Of the generators, as the search wants it back.

        Raises:
            ArchiveError: No such problem or target.
        """
        with self._db.writing() as session:
            record = campaign_recording.start_campaign(
                session, problem, backend, target, config, seed, random_state
            )
        self._clock.start(record.id)
        return record

    def resume_campaign(self, campaign: int | str) -> CampaignState:
        """Set a campaign to `running` again and load its state, in one transaction."""
        with self._db.writing() as session:
            state = campaigns.reopen(session, campaign)
        self._clock.start(state.record.id)
        return state

    def record_candidate(
        self,
        campaign_id: int,
        candidate: Candidate,
        *,
        operator: str,
        proposer: str,
        parents: Sequence[str],
        description: str,
        random_state: str,
        rules: Sequence[str] = (),
        call: int | None = None,
    ) -> CandidateRecord:
        """Record a proposal, before its evaluation begins.

        The same candidate proposed again is a further proposal of the one candidate; if the
        campaign has judged it, the new proposal takes that evaluation and is not pending.

        Args:
            campaign_id: Number of the campaign.
            candidate: What was proposed.
            operator: How it was made.
            proposer: By whom.
            parents: Digests, the main parent first; all recorded before.
            description: The proposer's words about it.
            random_state: To go on from after this proposal.
            rules: Names of rewriting rules used.
            call: Row of the model call that made it, which is concluded by this.

        Raises:
            ArchiveError: No such campaign or call, or a parent was never recorded.
        """
        with self._db.writing() as session:
            campaign = campaign_recording.progress(session, campaign_id, random_state, self._clock)
            if call is not None:
                model_calls.conclude(session, campaign_id, call)
            step = recording.Step(
                operator, proposer, tuple(parents), description, tuple(rules), call
            )
            return recording.record_candidate(session, campaign, candidate, step)

    def record_evaluation(
        self,
        campaign_id: int | None,
        evaluation: Evaluation,
        *,
        random_state: str | None = None,
        elite: Elite | None = None,
        lesson: Lesson | None = None,
        happened: Sequence[Event] = (),
    ) -> None:
        """Record an evaluation with all its rounds, the elite it made, what it taught, what it led
        to, and the campaign's progress.

        Recording an equal evaluation again (adopting an earlier campaign's, or after a crash
        between recording and going on) stores no second copy.

        Args:
            campaign_id: Number of the campaign; None for an evaluation outside any.
            evaluation: What was found.
            random_state: To go on from; None leaves the recorded one.
            elite: The place the candidate took; replaces the one that held it.
            lesson: What it taught; a candidate teaches a campaign once.
            happened: What followed from it.

        Raises:
            ArchiveError: The candidate was never recorded (in the campaign), or the evaluation is
                of another target than the campaign.
        """
        with self._db.writing() as session:
            if campaign_id is None:
                recording.record_stray_evaluation(session, evaluation)
                return
            campaign = campaign_recording.progress(session, campaign_id, random_state, self._clock)
            recording.record_evaluation(session, campaign, evaluation)
            if elite is not None:
                recording.store_elite(session, campaign, elite)
            if lesson is not None:
                campaign_recording.store_lesson(session, campaign, lesson)
            for event in happened:
                events.store(session, campaign_id, event)

    def record_recheck(self, evaluation: Evaluation, problem_id: int) -> None:
        """Record that a stored candidate was judged again, on this or another target.

        It is shown with the candidate; campaigns, their elites and rankings stay as they are. Where
        the archive had found nothing of a candidate on that target itself (it knew claims, or came
        from other hardware), a figure over the seed is what it has found, and counts in rankings.

        Args:
            evaluation: What was found now.
            problem_id: The revision it was judged against, from `ensure_problem`.

        Raises:
            ArchiveError: The candidate, the target or the problem was never recorded.
        """
        with self._db.writing() as session:
            recording.record_recheck(session, evaluation, problem_id)

    def record_elites(
        self, campaign_id: int, elites: Sequence[Elite], *, random_state: str | None = None
    ) -> None:
        """Record places taken without an evaluation, as in migration between islands."""
        with self._db.writing() as session:
            campaign = campaign_recording.progress(session, campaign_id, random_state, self._clock)
            for elite in elites:
                recording.store_elite(session, campaign, elite)

    def record_noise_floor(
        self, campaign_id: int, floor: float, comparisons: Sequence[Comparison]
    ) -> None:
        """Record the A/A run; a later one takes its place.

        Args:
            campaign_id: Number of the campaign.
            floor: Relative difference below which nothing is distinguishable.
            comparisons: Per workload, raw.
        """
        with self._db.writing() as session:
            campaign_recording.progress(session, campaign_id, None, self._clock)
            campaign_recording.store_noise_floor(session, campaign_id, floor, comparisons)

    def record_baselines(
        self,
        campaign_id: int,
        candidate: str,
        comparisons: Sequence[Comparison],
        speedups: Sequence[Speedup] = (),
    ) -> None:
        """Record the final table, best candidate against PyTorch variants; a later one replaces it.

        Args:
            campaign_id: Number of the campaign.
            candidate: Digest of the best.
            comparisons: Per workload and variant, raw.
            speedups: Over all workloads, per variant.
        """
        with self._db.writing() as session:
            campaign_recording.progress(session, campaign_id, None, self._clock)
            campaign_recording.store_baselines(
                session, campaign_id, candidate, comparisons, speedups
            )

    def record_lesson(self, campaign_id: int, lesson: Lesson) -> None:
        """Record what a lineage taught, for this problem and target."""
        with self._db.writing() as session:
            campaign = campaign_recording.progress(session, campaign_id, None, self._clock)
            campaign_recording.store_lesson(session, campaign, lesson)

    def finish_campaign(
        self, campaign_id: int, status: CampaignStatus | str, reason: str = ""
    ) -> None:
        """End a campaign: `finished`, or `stopped` / `interrupted`, which may be resumed.

        Raises:
            ArchiveError: No such campaign.
            ValueError: Not a status.
        """
        with self._db.writing() as session:
            campaign_recording.progress(session, campaign_id, None, self._clock)
            campaign_recording.finish(session, campaign_id, CampaignStatus(status), reason)


__all__ = ["Archive", "ArchiveError"]

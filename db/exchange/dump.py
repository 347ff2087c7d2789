"""Everything in an archive, or some campaigns of it, as a stream of records."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.blobs import collected, load_texts
from db.campaigns import load_candidates, parents_of
from db.errors import ArchiveError
from db.evaluations import load_campaign_comparisons, load_evaluations, unpack_speedups
from db.exchange import to_records as convert
from db.exchange.fields import MOST_WORDS
from db.exchange.pages import Pages
from db.exchange.records import (
    CallRecord,
    CampaignRecord,
    EliteRecord,
    End,
    EventRecord,
    Header,
    LessonRecord,
    ProblemRecord,
    ProposalRecord,
    Record,
    TargetRecord,
    kind_of,
)
from db.exchange.selection import Selection, select_all
from db.models import (
    Campaign,
    Candidate,
    EliteRow,
    Evaluation,
    EventRow,
    LessonRow,
    ModelCallRow,
    Problem,
    Proposal,
    Target,
)

_PAGE = 200


@dataclass(frozen=True)
class Scope:
    """What to export; the default is everything.

    Attributes:
        campaigns: Numbers or beginnings of keys.
        problem, target: Only campaigns of these.
        rounds: Keep the raw rounds of measurements.
    """

    campaigns: tuple[str, ...] = ()
    problem: str | None = None
    target: str | None = None
    rounds: bool = True

    def words(self) -> str:
        """For the header."""
        chosen = [f"campaign {name}" for name in self.campaigns]
        chosen += [f"problem {self.problem}"] if self.problem else []
        chosen += [f"target {self.target}"] if self.target else []
        return ", ".join(chosen) or "everything"


def records(session: Session, scope: Scope) -> Iterator[Record]:
    """Header, every record in the order of `db.exchange.records.KINDS`, end.

    Raises:
        ArchiveError: No such campaign, problem or target; or something in the archive is beyond
            what the format allows.
    """
    dump = _Dump(session, scope)
    yield Header(
        made_by=f"kernelmill {_version()}",
        created=datetime.datetime.now(datetime.UTC),
        scope=scope.words(),
        rounds=scope.rounds,
    )
    counts: Counter[str] = Counter()
    for part in dump.parts():
        try:
            for record in part:
                counts[kind_of(type(record))] += 1
                yield record
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ArchiveError(
                f"a {error.title} cannot be exported: {place}: {first['msg']}"
            ) from error
    yield End(counts=dict(counts))


class _Dump:
    def __init__(self, session: Session, scope: Scope) -> None:
        self._session = session
        self._rounds = scope.rounds
        self._chosen: Selection = select_all(session, scope.campaigns, scope.problem, scope.target)
        self._rows = Pages(session, self._chosen)
        rows = session.execute(select(Problem.id, Problem.name, Problem.spec_digest))
        self._problems = {key: (name, revision) for key, name, revision in rows}
        targets = session.execute(select(Target.id, Target.name))
        self._targets: dict[int, str] = dict(iter(targets))
        self._evaluations: dict[int, str] = {}
        self._calls: dict[int, int] = {}

    def parts(self) -> Iterator[Iterator[Record]]:
        """The kinds in order; later ones use names that earlier ones have given."""
        yield self._problem_records()
        yield self._target_records()
        yield self._candidate_records()
        yield self._campaign_records()
        yield self._call_records()
        yield self._evaluation_records()
        yield self._proposal_records()
        yield self._elite_records()
        yield self._lesson_records()
        yield self._event_records()

    def _problem_records(self) -> Iterator[Record]:
        for (row,) in self._rows.by_number(Problem, self._chosen.problems, 1):
            yield ProblemRecord(
                name=row.name,
                revision=row.spec_digest,
                spec=row.spec,
                created=row.created,
            )

    def _target_records(self) -> Iterator[Record]:
        for (row,) in self._rows.by_number(Target, self._chosen.targets, 1):
            yield TargetRecord(name=row.name, facts=convert.free(row.facts), created=row.created)

    def _candidate_records(self) -> Iterator[Record]:
        for page in self._rows.by_number(Candidate, self._chosen.candidates):
            loaded = load_candidates(self._session, [row.id for row in page])
            gone = collected(self._session, [row.source_id for row in page])
            for row in page:
                yield convert.candidate_record(row, loaded[row.id], gone.get(row.source_id))

    def _campaign_records(self) -> Iterator[Record]:
        for (row,) in self._rows.by_number(Campaign, self._chosen.campaigns, 1):
            yield self._campaign(row)

    def _campaign(self, row: Campaign) -> CampaignRecord:
        compared = row.baseline_candidate_id
        best = None if compared is None else self._session.get_one(Candidate, compared).digest
        noise, baselines = (
            convert.comparison_parts(
                load_campaign_comparisons(self._session, row.id, purpose), rounds=self._rounds
            )
            for purpose in ("noise", "baseline")
        )
        return CampaignRecord(
            key=row.key,
            problem=self._problems[row.problem_id][0],
            revision=self._problems[row.problem_id][1],
            backend=row.backend,
            target=self._targets[row.target_id],
            config=convert.portable(row.config),
            target_facts=convert.free(row.target_facts),
            seed=row.seed,
            status=row.status,  # type: ignore[arg-type]  # checked when the record is made
            reason=row.reason[:MOST_WORDS],
            started=row.started,
            updated=row.updated,
            active_seconds=row.active_seconds,
            noise_floor=row.noise_floor,
            noise=noise,
            best=best,
            baselines=baselines,
            baseline_speedups=convert.speedup_parts(
                unpack_speedups(row.baseline_speedups) if row.baseline_speedups else ()
            ),
        )

    def _call_records(self) -> Iterator[Record]:
        for page in self._rows.of_campaigns(ModelCallRow, ModelCallRow.id):
            for first in range(0, len(page), _PAGE):
                part = page[first : first + _PAGE]
                blobs = [i for row in part for i in (row.prompt_id, row.completion_id)]
                texts = load_texts(self._session, blobs)
                for index, row in enumerate(part, start=first + 1):
                    self._calls[row.id] = index
                    yield self._call(row, index, texts)

    def _call(self, row: ModelCallRow, index: int, texts: dict[int | None, str]) -> CallRecord:
        prompt, completion = (
            None if key is None else convert.valid(texts[key])
            for key in (row.prompt_id, row.completion_id)
        )
        return CallRecord(
            campaign=self._rows.keys[row.campaign_id],
            index=index,
            number=row.number,
            state=row.state,  # type: ignore[arg-type]  # checked when the record is made
            model=row.model,
            operator=row.operator,
            parents=row.parents,
            template=row.template,
            seconds=row.seconds,
            prompt_tokens=row.prompt_tokens,
            completion_tokens=row.completion_tokens,
            cost=row.cost,
            expected_prompt_tokens=row.expected_prompt_tokens,
            expected_completion_tokens=row.expected_completion_tokens,
            expected_cost=row.expected_cost,
            error=None if row.error is None else row.error[:MOST_WORDS],
            prompt=prompt,
            completion=completion,
            created=row.created,
        )

    def _evaluation_records(self) -> Iterator[Record]:
        for page in self._rows.by_number(Evaluation, self._chosen.evaluations):
            loaded = load_evaluations(self._session, [row.id for row in page])
            for row in page:
                record = convert.evaluation_record(
                    row,
                    loaded[row.id],
                    problem=self._problems[row.problem_id],
                    campaign=self._rows.key(row.campaign_id),
                    rounds=self._rounds,
                )
                self._evaluations[row.id] = record.id
                yield record

    def _proposal_records(self) -> Iterator[Record]:
        for page in self._rows.of_campaigns(Proposal, Proposal.ordinal):
            parents = parents_of(self._session, [row.id for row in page])
            digests = self._rows.digests([row.candidate_id for row in page])
            for row in page:
                settled, call = row.evaluation_id, row.model_call_id
                yield ProposalRecord(
                    campaign=self._rows.keys[row.campaign_id],
                    ordinal=row.ordinal,
                    candidate=digests[row.candidate_id],
                    parents=list(parents.get(row.id, ())),
                    operator=row.operator,
                    proposer=row.proposer,
                    description=row.description[:MOST_WORDS],
                    rules=list(row.rules or ()),
                    call=None if call is None else self._calls[call],
                    evaluation=None if settled is None else self._evaluations[settled],
                    created=row.created,
                )

    def _elite_records(self) -> Iterator[Record]:
        for page in self._rows.of_campaigns(EliteRow, EliteRow.island, EliteRow.cell):
            digests = self._rows.digests([row.candidate_id for row in page])
            for row in page:
                yield EliteRecord(
                    campaign=self._rows.keys[row.campaign_id],
                    island=row.island,
                    cell=row.cell,
                    candidate=digests[row.candidate_id],
                    score=row.score,
                    created=row.created,
                )

    def _lesson_records(self) -> Iterator[Record]:
        for page in self._rows.by_number(LessonRow, self._chosen.lessons):
            digests = self._rows.digests(
                [r.candidate_id for r in page if r.candidate_id is not None]
            )
            for row in page:
                taught = row.candidate_id
                yield LessonRecord(
                    problem=self._problems[row.problem_id][0],
                    revision=self._problems[row.problem_id][1],
                    target=self._targets[row.target_id],
                    campaign=None if row.campaign_id is None else self._rows.keys[row.campaign_id],
                    candidate=None if taught is None else digests[taught],
                    text=row.text[:MOST_WORDS],
                    speedup=row.speedup,
                    confirmed=row.confirmed,
                    created=row.created,
                )

    def _event_records(self) -> Iterator[Record]:
        for page in self._rows.of_campaigns(EventRow, EventRow.id):
            for index, row in enumerate(page, start=1):
                about = row.model_call_id
                yield EventRecord(
                    campaign=self._rows.keys[row.campaign_id],
                    index=index,
                    what=row.kind,  # type: ignore[arg-type]  # checked when the record is made
                    call=None if about is None else self._calls[about],
                    details=convert.free(row.details),
                    created=row.created,
                )


def _version() -> str:
    try:
        return version("kernelmill")
    except PackageNotFoundError:
        return "of a source tree"

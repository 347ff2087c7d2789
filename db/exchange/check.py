"""Is a stream of records whole and consistent? Asked before anything of it is taken in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NoReturn, Protocol

from db.encoding import canonical, digest_of
from db.exchange import from_records
from db.exchange.limits import BadRecords
from db.exchange.records import (
    FORMAT,
    KINDS,
    CallRecord,
    CampaignRecord,
    CandidateRecord,
    EliteRecord,
    End,
    EvaluationRecord,
    EventRecord,
    Header,
    LessonRecord,
    ProblemRecord,
    ProposalRecord,
    Record,
    TargetRecord,
    kind_of,
)
from db.exchange.to_records import name_of


class Source(Protocol):
    """Records that can be read as often as needed."""

    @property
    def name(self) -> str:
        """How to name it to a user."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what the latest complete reading gave."""
        ...

    def records(self) -> Iterator[Record]:
        """All records in order.

        Raises:
            ArchiveError: It cannot be read, or what it holds are no records.
        """
        ...


def checked(source: Source) -> Iterator[Record]:
    """The records between header and end, as long as all is well.

    Raises:
        BadRecords: Out of order, doubled, cut short, referring to what has not come before, or
            called what it is not.
    """
    check = _Check(source.name)
    for record in source.records():
        check.take(record)
        if not isinstance(record, Header | End):
            yield record
    check.finish()


class _Check:
    def __init__(self, name: str) -> None:
        self._name = name
        self._number = 0
        self._header: Header | None = None
        self._end: End | None = None
        self._place = 0
        self._counts: Counter[str] = Counter()
        self._revisions: set[tuple[str, str]] = set()
        self._targets: set[str] = set()
        self._candidates: dict[str, str] = {}
        self._campaigns: set[str] = set()
        self._calls: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._evaluations: dict[str, str] = {}
        self._ordinals: set[tuple[str, int]] = set()
        self._proposed: set[tuple[str, str]] = set()
        self._cells: set[tuple[str, int, str]] = set()

    def take(self, record: Record) -> None:
        """One more record."""
        self._number += 1
        if isinstance(record, Header):
            self._begin(record)
            return
        if self._header is None:
            self._fail("the first record is not that of an archive")
        if self._end is not None:
            self._fail("records after the end")
        if isinstance(record, End):
            self._end = record
            return
        self._in_order(record)
        self._counts[kind_of(type(record))] += 1
        match record:
            case ProblemRecord():
                self._problem(record)
            case TargetRecord():
                self._once(record.name not in self._targets, f"target {record.name}")
                self._targets.add(record.name)
            case CandidateRecord():
                self._candidate(record)
            case CampaignRecord():
                self._campaign(record)
            case CallRecord():
                self._call(record)
            case EvaluationRecord():
                self._evaluation(record)
            case ProposalRecord():
                self._proposal(record)
            case EliteRecord():
                self._elite(record)
            case LessonRecord():
                self._lesson(record)
            case EventRecord():
                self._event(record)

    def finish(self) -> None:
        """Nothing more comes."""
        if self._end is None:
            self._fail("cut short: there is no end")
        if dict(self._end.counts) != dict(self._counts):
            self._fail("cut short: the end counts other records than came")

    def _begin(self, record: Header) -> None:
        if self._header is not None:
            self._fail("a second beginning")
        if record.format != FORMAT:
            self._fail(
                f"format {record.format}, this version reads {FORMAT}; upgrade Kernelmill"
                if record.format > FORMAT
                else f"format {record.format} was never one"
            )
        self._header = record

    def _in_order(self, record: Record) -> None:
        place = KINDS.index(type(record))
        if place < self._place:
            self._fail(f"a {kind_of(type(record))} comes too late")
        self._place = place

    def _problem(self, record: ProblemRecord) -> None:
        if digest_of(canonical(record.spec)) != record.revision:
            self._fail(f"problem {record.name}: its revision is not the digest of its spec")
        self._once((record.name, record.revision) not in self._revisions, f"problem {record.name}")
        self._revisions.add((record.name, record.revision))

    def _candidate(self, record: CandidateRecord) -> None:
        short = f"candidate {record.digest[:12]}"
        try:
            if record.source is None:
                if record.source_digest is None or record.source_size is None:
                    self._fail(f"{short}: neither a source nor its digest and size")
            elif from_records.candidate(record).digest != record.digest:
                self._fail(f"{short}: its digest is not that of its source")
        except ValueError as error:
            self._fail(f"{short}: {error}")
        self._once(record.digest not in self._candidates, short)
        self._candidates[record.digest] = record.problem

    def _campaign(self, record: CampaignRecord) -> None:
        self._once(record.key not in self._campaigns, f"campaign {record.key}")
        self._stands_on(record.problem, record.revision, record.target)
        if record.best is not None:
            self._known(record.best)
        self._campaigns.add(record.key)

    def _call(self, record: CallRecord) -> None:
        self._belongs(record.campaign)
        self._calls[record.campaign] += 1
        if record.index != self._calls[record.campaign]:
            self._fail(f"call {record.index} of campaign {record.campaign} is out of order")

    def _evaluation(self, record: EvaluationRecord) -> None:
        short = f"evaluation {record.id[:12]}"
        self._once(record.id not in self._evaluations, short)
        self._known(record.candidate)
        self._stands_on(record.problem, record.revision, record.target)
        if record.campaign is not None:
            self._belongs(record.campaign)
        complete = all(c.rounds is not None for c in record.comparisons)
        if complete and name_of(record) != record.id:
            self._fail(f"{short}: its id is not the digest of what it says")
        try:
            from_records.evaluation(record)
        except ValueError:
            self._fail(f"{short}: unknown outcome {record.outcome!r}; upgrade Kernelmill")
        self._evaluations[record.id] = record.candidate

    def _proposal(self, record: ProposalRecord) -> None:
        short = f"proposal {record.ordinal} of campaign {record.campaign}"
        self._belongs(record.campaign)
        self._once((record.campaign, record.ordinal) not in self._ordinals, short)
        for digest in (record.candidate, *record.parents):
            self._known(digest)
        if record.call is not None and not 1 <= record.call <= self._calls[record.campaign]:
            self._fail(f"{short}: there is no call {record.call}")
        if (
            record.evaluation is not None
            and self._evaluations.get(record.evaluation) != record.candidate
        ):
            self._fail(f"{short}: its evaluation is missing, or another candidate's")
        self._ordinals.add((record.campaign, record.ordinal))
        self._proposed.add((record.campaign, record.candidate))

    def _elite(self, record: EliteRecord) -> None:
        place = (record.campaign, record.island, record.cell)
        self._once(place not in self._cells, f"the elite of cell {record.cell!r}")
        if (record.campaign, record.candidate) not in self._proposed:
            self._fail(f"elite {record.candidate[:12]} was never proposed in its campaign")
        self._cells.add(place)

    def _lesson(self, record: LessonRecord) -> None:
        self._stands_on(record.problem, record.revision, record.target)
        if record.campaign is not None:
            self._belongs(record.campaign)
        if record.candidate is not None:
            self._known(record.candidate)

    def _event(self, record: EventRecord) -> None:
        short = f"event {record.index} of campaign {record.campaign}"
        self._belongs(record.campaign)
        self._events[record.campaign] += 1
        if record.index != self._events[record.campaign]:
            self._fail(f"{short} is out of order")
        if record.call is not None and not 1 <= record.call <= self._calls[record.campaign]:
            self._fail(f"{short}: there is no call {record.call}")

    def _stands_on(self, problem: str, revision: str, target: str) -> None:
        if (problem, revision) not in self._revisions:
            self._fail(f"problem {problem} of revision {revision[:12]} has not come before")
        if target not in self._targets:
            self._fail(f"target {target} has not come before")

    def _belongs(self, campaign: str) -> None:
        if campaign not in self._campaigns:
            self._fail(f"campaign {campaign} has not come before")

    def _known(self, candidate: str) -> None:
        if candidate not in self._candidates:
            self._fail(f"candidate {candidate[:12]} has not come before")

    def _once(self, first: bool, what: str) -> None:
        if not first:
            self._fail(f"{what} comes twice")

    def _fail(self, message: str) -> NoReturn:
        raise BadRecords(f"{self._name}, record {self._number}: {message}")


def whole(records: Iterable[Record]) -> int:
    """How many records there are, having seen them all."""
    return sum(1 for _ in records)

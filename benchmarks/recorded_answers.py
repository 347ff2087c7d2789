"""Kernels that a recorded campaign's model proposed, in order, with what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.ledger import estimated_tokens
from agent.proposers.protocol import Child
from db.exchange import from_records
from db.exchange.files import source_of
from db.exchange.records import CallRecord, CandidateRecord, ProposalRecord

CAMPAIGNS = Path(__file__).parents[1] / "examples" / "campaigns"


@dataclass(frozen=True)
class RecordedAnswer:
    """A kernel that a model proposed.

    Attributes:
        child: The kernel, with its parents' digests and the model's plan.
        tokens: Of prompt and answer: as the model's endpoint counted them, else estimated.
    """

    child: Child
    tokens: int


def answers(problem: str, campaigns: Path = CAMPAIGNS) -> list[RecordedAnswer]:
    """The recorded answers to a problem in the order they were judged; none if nobody was asked."""
    path = campaigns / f"{problem}.jsonl.zst"
    return list(_read(path)) if path.exists() else []


def _read(path: Path) -> Iterator[RecordedAnswer]:
    candidates, tokens = {}, {}
    for record in source_of(path).records():
        match record:
            case CandidateRecord():
                candidates[record.digest] = from_records.candidate(record)
            case CallRecord():
                tokens[record.index] = _tokens(record)
            case ProposalRecord() if record.call is not None:
                parents = tuple(record.parents)
                made = candidates[record.candidate]
                child = Child(made, record.operator, parents, record.description)
                yield RecordedAnswer(child, tokens[record.call])


def _tokens(call: CallRecord) -> int:
    prompt, completion = call.prompt_tokens, call.completion_tokens
    if prompt is None or completion is None:
        return estimated_tokens(call.prompt or "") + estimated_tokens(call.completion or "")
    return prompt + completion

"""Calls of language models within a transaction: announced, answered, concluded, added up."""

from __future__ import annotations

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.orm import Session

from db.blobs import load_texts, store_optional, store_text
from db.direct import insert_row, run, table, update_row
from db.errors import ArchiveError
from db.models import ModelCallRow
from db.records import Call, CallState, ModelCall, Question, Spending

_OF = table(ModelCallRow).c
_ANY_PROMPT = select(_OF.prompt_id).where(_OF.campaign_id == bindparam("campaign")).limit(1)


def announce(session: Session, campaign: int, question: Question) -> int:
    """See `CallLog.announce_call`."""
    like = run(session, _ANY_PROMPT, {"campaign": campaign}).scalar()
    return insert_row(
        session,
        ModelCallRow,
        campaign_id=campaign,
        number=question.number,
        state=CallState.ASKED.value,
        model=question.model,
        operator=question.operator,
        parents=list(question.parents),
        template=question.template,
        seconds=0.0,
        expected_prompt_tokens=question.prompt_tokens,
        expected_completion_tokens=question.completion_tokens,
        expected_cost=question.cost,
        prompt_id=store_text(session, question.prompt, like),  # prompts resemble each other
    )


def answer(
    session: Session, campaign: int, call: int, figures: ModelCall, completion: str | None
) -> None:
    """See `CallLog.record_answer`."""
    found = update_row(
        session,
        ModelCallRow,
        call,
        where={"campaign_id": campaign},
        state=CallState.ANSWERED.value,
        model=figures.model,
        seconds=figures.seconds,
        prompt_tokens=figures.prompt_tokens,
        completion_tokens=figures.completion_tokens,
        cost=figures.cost,
        error=figures.error,
        completion_id=store_optional(session, completion),
    )
    _require(found, campaign, call)


def conclude(session: Session, campaign: int, call: int, error: str | None = None) -> None:
    """See `CallLog.conclude_call`."""
    why = {} if error is None else {"error": error}
    own = {"campaign_id": campaign}
    found = update_row(
        session, ModelCallRow, call, where=own, state=CallState.CONCLUDED.value, **why
    )
    _require(found, campaign, call)


def load(session: Session, campaign_id: int) -> tuple[Call, ...]:
    """A campaign's calls in the order they were asked."""
    rows = session.scalars(
        select(ModelCallRow)
        .where(ModelCallRow.campaign_id == campaign_id)
        .order_by(ModelCallRow.id)
    ).all()
    waiting = [r for r in rows if r.state == CallState.ANSWERED.value]
    texts = load_texts(session, [i for r in waiting for i in (r.prompt_id, r.completion_id)])
    return tuple(
        Call(
            id=row.id,
            number=row.number or 0,
            operator=row.operator or "",
            parents=tuple(row.parents or ()),
            state=CallState(row.state),
            figures=figures_of(row),
            prompt=None if row.prompt_id is None else texts.get(row.prompt_id),
            completion=None if row.completion_id is None else texts.get(row.completion_id),
        )
        for row in rows
    )


def figures_of(row: ModelCallRow) -> ModelCall:
    """What a call came to, as the endpoint told."""
    return ModelCall(
        row.model, row.seconds, row.prompt_tokens, row.completion_tokens, row.cost, row.error
    )


def spending(session: Session, campaign_id: int) -> Spending:
    """The sum over a campaign's calls; where the endpoint did not tell, what was expected."""
    row = ModelCallRow
    cost = func.coalesce(row.cost, row.expected_cost)
    prompt = func.coalesce(row.prompt_tokens, row.expected_prompt_tokens)
    completion = func.coalesce(row.completion_tokens, row.expected_completion_tokens)
    calls, asked, answered, paid, without = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(prompt), 0),
            func.coalesce(func.sum(completion), 0),
            func.coalesce(func.sum(cost), 0.0),
            func.coalesce(func.sum(case((cost.is_(None), 1), else_=0)), 0),
        ).where(row.campaign_id == campaign_id)
    ).one()
    return Spending(calls, asked, answered, paid, without)


def _require(found: bool, campaign: int, call: int) -> None:
    if not found:
        raise ArchiveError(f"campaign {campaign} has no model call {call}; announce it first")

"""The part of the archive that keeps account of language models."""

from __future__ import annotations

from db import campaign_recording, events, model_calls
from db.database import Database
from db.records import Event, ModelCall, Question
from db.upkeep import Upkeep


class CallLog(Upkeep):
    """Records calls of language models; part of `db.archive.Archive`, whose contract holds.

    A call is announced before it is sent, so that whatever kills us forgets no cost: until the
    endpoint has told what a call came to, what was expected of it counts as spent.
    """

    def __init__(self, database: Database) -> None:
        """Wrap an open database; callers use `Archive.open`."""
        super().__init__(database)
        self._clock = campaign_recording.ActiveClock()

    def announce_call(self, campaign_id: int, question: Question, random_state: str) -> int:
        """Record a question that is about to be sent; returns the row of the call.

        Args:
            campaign_id: Number of the campaign.
            question: What is asked, and what it is expected to cost.
            random_state: To go on from after this question.

        Raises:
            ArchiveError: No such campaign.
        """
        with self._db.writing() as session:
            campaign_recording.progress(session, campaign_id, random_state, self._clock)
            return model_calls.announce(session, campaign_id, question)

    def record_answer(
        self, campaign_id: int, call: int, figures: ModelCall, completion: str | None
    ) -> None:
        """Record what came back, the moment it is here.

        Args:
            campaign_id: Number of the campaign.
            call: Row from `announce_call`.
            figures: Time, tokens and cost; tokens and cost are None where they are not known, so
                that what was expected goes on counting. `error` says why there is no answer.
            completion: The text, None if there is none.

        Raises:
            ArchiveError: No such call of that campaign.
        """
        with self._db.writing() as session:
            model_calls.answer(session, campaign_id, call, figures, completion)

    def record_review(
        self,
        campaign_id: int,
        call: int,
        figures: ModelCall,
        completion: str | None,
        verdict: Event,
    ) -> None:
        """Record what a reviewer said, with the call that asked it, which is concluded by this.

        Args:
            campaign_id: Number of the campaign.
            call: Row of the reviewer's call, from `announce_call`.
            figures, completion: As in `record_answer`.
            verdict: Names the call that was reviewed.

        Raises:
            ArchiveError: No such call of that campaign.
        """
        with self._db.writing() as session:
            campaign_recording.progress(session, campaign_id, None, self._clock)
            model_calls.answer(session, campaign_id, call, figures, completion)
            model_calls.conclude(session, campaign_id, call)
            events.store(session, campaign_id, verdict)

    def conclude_call(self, campaign_id: int, call: int, error: str) -> None:
        """Record why a call became no proposal (one that did is concluded with its candidate).

        Raises:
            ArchiveError: No such call of that campaign.
        """
        with self._db.writing() as session:
            campaign_recording.progress(session, campaign_id, None, self._clock)
            model_calls.conclude(session, campaign_id, call, error)

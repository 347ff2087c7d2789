"""Children of models, with embedded ones in the time that would be spent waiting for answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.asking import MODEL_OPERATORS
from agent.breeding import NOTHING_LEFT, EmbeddedBreeder, Ending
from agent.harvest import Harvest
from agent.ledger import Cost
from agent.models.completer import Prompt, Script, Trouble
from agent.prompts.material import Material, gather
from agent.prompts.prompter import Prompter
from agent.prompts.trimming import PromptTooLargeError
from agent.proposers.protocol import Brief
from agent.questions import Asked, Questions
from agent.reviewer import Reviewer
from agent.search import Search, Trial
from agent.simplify.state import OPERATOR as SIMPLIFY
from db.records import CampaignStatus, Lesson
from evaluator.candidate import Candidate
from evaluator.errors import ConfigError

POLL_SECONDS = 0.1
"""How often a wait for an answer looks whether the campaign is to end."""
MOST_BARREN = 30
"""Answers in a row without a new kernel after which asking on is a waste."""
MOST_FAILURES = 3
"""Calls in a row without any answer after which a campaign stops, if it is to stop."""
MOST_FAILURES_ALONE = 10
"""The same where it is to go on, and there is nothing to go on with."""


@dataclass(frozen=True)
class Manners:
    """How models are asked.

    Attributes:
        in_flight: Questions at a time.
        mix: Largest share of embedded proposals, 0 to 1.
        stop_when_failing: Stop when the endpoint fails, rather than go on without it.
    """

    in_flight: int
    mix: float
    stop_when_failing: bool


class ModelBreeder:
    """Keeps questions in flight, and makes children of their answers in the order of asking.

    A new question is asked when the child of an earlier one was judged, so the order of children
    and what each question says do not depend on how fast anybody answers.

    Args:
        questions: Those of earlier processes restored.
        prompter: Writes them.
        search: Decides what is asked.
        harvest: Makes children of answers.
        embedded: Fills the time of waiting; None for nobody.
        manners: How models are asked.
        before: Lessons of other campaigns; None: prompts carry no lessons at all.
        tell: Told in a line when an endpoint fails.
        reviewer: May reject what models propose; None for nobody.
    """

    def __init__(
        self,
        questions: Questions,
        prompter: Prompter,
        search: Search,
        harvest: Harvest,
        embedded: EmbeddedBreeder | None,
        manners: Manners,
        before: Sequence[Lesson] | None,
        tell: Callable[[str], None],
        reviewer: Reviewer | None = None,
    ) -> None:
        self.ending: Ending | None = None
        self._questions = questions
        self._prompter = prompter
        self._search = search
        self._harvest = harvest
        self._reviewer = reviewer
        self._looked_at: set[int] = set()
        self._embedded = embedded
        self._manners = manners
        self._before = before
        self._tell = tell
        self._fills = 0
        self._told = 0
        self._no_more: str | None = None

    async def batch(self, most: int, over: Callable[[], bool]) -> list[Trial]:
        """See `Breeder.batch`; one child at a time, so that an answer never waits for a batch."""
        while self.ending is None and not over():
            self._look_after_endpoint()
            self._ask()
            head = self._questions.head
            self._look_at_answers()
            if head is not None and self._ready(head) and not self._owes_fill(head):
                if (trial := self._conclude(head)) is not None:
                    return [trial]
            elif head is None and self._no_more is not None:
                self.ending = Ending(CampaignStatus.FINISHED, self._no_more)
            elif (trial := await self._fill(head)) is not None:
                return [trial]
            elif head is not None:
                await self._wait(head)
            else:
                await asyncio.sleep(POLL_SECONDS)  # until the endpoint may be tried again
        return []

    async def simpler(self, kernel: Candidate, over: Callable[[], bool]) -> Trial | None:
        """See `Breeder.simpler`; one question, which no recording holds."""
        await self._questions.withdraw()
        asked = self._questions.find(SIMPLIFY) or self._ask_for_simpler(kernel)
        while asked is not None and asked.completion is None and not over():
            await self._questions.wait(asked, POLL_SECONDS)
        if asked is None or asked.completion is None:
            return None
        return self._conclude(asked)

    async def close(self) -> None:
        """Withdraw the questions in flight."""
        if self._reviewer is not None:
            await self._reviewer.close()
        await self._questions.close()

    # ---- reviewing

    def _look_at_answers(self) -> None:
        """Have the reviewer look at what has arrived, while it waits for its turn."""
        for asked in self._questions if self._reviewer is not None else ():
            if asked.completion is not None and asked.call not in self._looked_at:
                self._looked_at.add(asked.call)
                kernel = self._harvest.kernel(asked)
                if kernel is not None and self._reviewer is not None:
                    self._reviewer.look(asked, kernel)

    def _ready(self, asked: Asked) -> bool:
        """It is answered, and nobody is still reviewing that."""
        reviewing = self._reviewer is not None and self._reviewer.thinking(asked)
        return asked.completion is not None and not reviewing

    async def _wait(self, asked: Asked) -> None:
        if asked.completion is None:
            await self._questions.wait(asked, POLL_SECONDS)
        elif self._reviewer is not None:
            await self._reviewer.wait(asked, POLL_SECONDS)

    # ---- concluding

    def _conclude(self, asked: Asked) -> Trial | None:
        """Make a child of an answer; None if it holds none, or none that is new."""
        self._questions.take(asked)
        self._no_more = None  # it may have cost less than was expected
        opinion = None if self._reviewer is None else self._reviewer.opinion(asked)
        trial = self._harvest.conclude(asked, self._fills, opinion)
        self._fills = 0
        if self._harvest.barren >= MOST_BARREN:
            reason = f"the last {MOST_BARREN} answers held no new kernel"
            self.ending = Ending(CampaignStatus.FINISHED, reason)
        return trial

    # ---- asking

    def _ask(self) -> None:
        left = self._search.budget.evaluations_left
        most = self._manners.in_flight if left is None else min(self._manners.in_flight, left)
        while (
            self._no_more is None
            and len(self._questions) < most
            and not self._questions.health.pausing
            and self._ask_one()
        ):
            pass

    def _ask_one(self) -> bool:
        """Ask one question; False if that cannot be done now."""
        try:
            written = self._questions.completer.script(self._questions.next_number)
        except LookupError as end:
            self._no_more = str(end)
            return False
        known = written is not None and all(map(self._search.known, written.parents))
        if written is not None and not known and len(self._questions):
            return False  # its parents are still to be judged
        rng = self._search.stream.next()
        brief = self._search.question(rng)
        if written is not None and known:
            brief = Brief(written.operator, tuple(map(self._search.candidate, written.parents)))
        brief, prompt = self._written(brief)
        affordable = self._affordable(rng, prompt, written)
        if affordable is None:
            return False
        model, cost = affordable
        parents = tuple(parent.digest for parent in brief.parents)
        fills = 0 if written is None else written.fills
        self._search.asking.asked(brief.operator, parents)
        self._questions.ask(
            Script(brief.operator, parents, model, fills), prompt, cost, self._search.stream.state
        )
        return True

    def _written(self, brief: Brief) -> tuple[Brief, Prompt]:
        """The prompt for a brief; if its kernels are too long to be shown, for the seed."""
        try:
            return brief, self._prompter.prompt(self._material(brief))
        except PromptTooLargeError:
            assert self._search.seed is not None
            self._search.asking.asked(brief.operator, [parent.digest for parent in brief.parents])
            other = Brief("rewrite", (self._search.seed.child.candidate,))
            return other, self._prompter.prompt(self._material(other))

    def _material(self, brief: Brief) -> Material:
        if self._before is None:
            return gather(self._search, brief)
        return gather(self._search, brief, self._search.lessons.worth_telling(self._before))

    def _affordable(
        self, rng: random.Random, prompt: Prompt, written: Script | None
    ) -> tuple[str, Cost] | None:
        """A model among those the budget still allows, by weight and by what it has earned for its
        cost; None if it allows none."""
        ledger, models = self._questions.ledger, self._questions.completer.models
        costs = {m.name: ledger.expected(m.name, prompt.text) for m in models}
        open_to = [m for m in models if ledger.affords(costs[m.name])]
        if not open_to:
            self._no_more = ledger.refusal(models[0].name, prompt.text)
            return None
        weights = self._search.credit.models.weigh({m.name: m.weight for m in open_to})
        chosen = rng.choices(list(weights), list(weights.values()))[0]
        if written is not None and written.model in costs:
            chosen = written.model
        return chosen, costs[chosen]

    def _ask_for_simpler(self, kernel: Candidate) -> Asked | None:
        """Ask for a simpler kernel; None if nobody answers or the budget does not allow it."""
        if self._questions.health.failures or self._questions.completer.name == "replay":
            return None
        rng = self._search.stream.next()
        try:
            prompt = self._prompter.prompt(self._material(Brief(SIMPLIFY, (kernel,))))
        except PromptTooLargeError:
            return None
        affordable = self._affordable(rng, prompt, None)
        if affordable is None:
            return None
        self._search.asking.asked(SIMPLIFY, [kernel.digest])
        script = Script(SIMPLIFY, (kernel.digest,), affordable[0], 0)
        return self._questions.ask(script, prompt, affordable[1], self._search.stream.state)

    # ---- waiting

    def _owes_fill(self, head: Asked) -> bool:
        """A recording says that embedded children were tried before this answer was taken."""
        return self._embedded is not None and self._fills < head.script.fills

    async def _fill(self, head: Asked | None) -> Trial | None:
        if self._embedded is None or not self._may_fill(head):
            return None
        trial = await self._embedded.one()
        if trial is None:
            self._embedded = None  # nothing new comes from there any more
            if head is None and not self._questions.health.pausing:
                self.ending = Ending(CampaignStatus.FINISHED, NOTHING_LEFT)
        else:
            self._fills += 1
        return trial

    def _may_fill(self, head: Asked | None) -> bool:
        try:
            written = self._questions.completer.script(head.number if head else 1)
        except LookupError:
            written = None
        if written is not None:
            return head is not None and self._owes_fill(head)
        mix, left = self._manners.mix, self._search.budget.evaluations_left
        if self._questions.health.failures > 1:
            return True
        if left is not None and left <= len(self._questions):
            return False  # answers that are paid for need what is left
        if mix >= 1.0:
            return True
        by_models = sum(self._search.made[name] for name in (*MODEL_OPERATORS, "seed"))
        made = self._search.made.total() - by_models
        return made < mix / (1.0 - mix) * (self._questions.next_number - 1)

    def _look_after_endpoint(self) -> None:
        """Say when it fails; end the campaign where going on makes no sense.

        Raises:
            ConfigError: It refuses us, and never did anything else: the user must act.
        """
        health = self._questions.health
        if health.failures == 0 or health.failures == self._told:
            self._told = health.failures
            return
        self._told = health.failures
        if health.trouble is Trouble.REFUSED and not health.answered:
            raise ConfigError(
                f"the model's endpoint refuses: {health.error}; check OPENAI_API_KEY, --base-url "
                f"and --model, then `kernelmill resume {self._questions.campaign}`"
            )
        self._tell(f"no answer from the model ({health.failures} in a row): {health.error}")
        alone = self._embedded is None
        most = MOST_FAILURES if self._manners.stop_when_failing else MOST_FAILURES_ALONE
        if health.failures >= most and (self._manners.stop_when_failing or alone):
            reason = f"the model did not answer {health.failures} times in a row: {health.error}"
            self.ending = Ending(CampaignStatus.INTERRUPTED, reason)

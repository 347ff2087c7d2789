"""Putting together who makes a campaign's children, as its configuration says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent import ports
from agent.asking import MODEL_OPERATORS
from agent.breeding import Breeder, EmbeddedBreeder
from agent.harvest import Harvest
from agent.interleaving import Manners, ModelBreeder
from agent.knowledge import cards
from agent.knowledge.pairs import Example, examples
from agent.knowledge.signs import isa_of
from agent.knowledge.transfer import transferred
from agent.ledger import Ledger
from agent.models import prices
from agent.models.choice import OUTSIDE, Choice, is_free
from agent.models.completer import Completer, Completion, Trouble
from agent.models.recording import Recorder
from agent.nursery import Nursery
from agent.outside import Inbox, Workplace
from agent.prompts.prompter import Prompter
from agent.proposers import choice as embedded_choice
from agent.questions import LOST, Questions
from agent.reviewer import Reviewer
from agent.search import Search
from db.archive import Archive
from db.records import CampaignRecord, CampaignState, Lesson, ModelCall
from db.rows import StoredElite
from evaluator.errors import ConfigError
from evaluator.paths import cache_folder
from evaluator.problem import Problem
from evaluator.roofline import Roofline, stored
from evaluator.target import Target

if TYPE_CHECKING:
    from agent.cli.config import CampaignConfig


@dataclass(frozen=True)
class Crew:
    """Who makes children, before there is a campaign to make them for.

    Attributes:
        choice: What the configuration means.
        completer: Answers prompts; None for the embedded proposer alone.
        prices: What answers cost.
        inbox: Where children come in from outside; None where they do not, or nobody is connected.
    """

    choice: Choice
    completer: Completer | None
    prices: prices.Prices
    inbox: Inbox | None = None

    @property
    def line(self) -> str:
        """For the user."""
        if self.completer is None:
            return self.choice.line
        return f"{self.choice.line}; model {', '.join(m.name for m in self.completer.models)}"


async def crew(choice: Choice, config: CampaignConfig, inbox: Inbox | None = None) -> Crew:
    """Connect to whoever is chosen.

    Args:
        choice: Who that is.
        config: How to reach them.
        inbox: Where children come in, if they come from outside.

    Raises:
        ConfigError: Nobody is there, or a price is not known and must be.
    """
    from agent.models.choice import connected

    _check_reviewer(choice, config)
    if not choice.asks_models:
        return Crew(choice, None, prices.load(config.prices, free=True), inbox)
    table = prices.load(config.prices, free=is_free(choice))
    completer = await connected(choice, config)
    asked = [*(m.name for m in completer.models), *filter(None, [config.reviewer])]
    unknown = [name for name in asked if table.of(name) is None]
    if unknown and not config.allow_unpriced:
        await completer.close()
        raise ConfigError(
            f"no price is known for model {unknown[0]!r}, so the budget of dollars could not hold: "
            f'put [models] "{unknown[0]}" = {{ input = ..., output = ... }} (dollars per million '
            "tokens) into a TOML file and name it with --prices, or give --allow-unpriced"
        )
    return Crew(choice, completer, table)


def _check_reviewer(choice: Choice, config: CampaignConfig) -> None:
    if config.reviewer is None:
        return
    if config.keeps_to_itself:
        raise ConfigError("a recording holds no reviews: leave out reviewer, record and recording")
    if not choice.asks_models:
        raise ConfigError(
            "a reviewer looks at what models propose, and no model is configured: name one, or "
            "leave out reviewer"
        )


def operators(crew: Crew, config: CampaignConfig) -> tuple[str, ...]:
    """The operators that can be carried out."""
    if crew.choice.name == OUTSIDE:
        return (*MODEL_OPERATORS, "tune")
    own = embedded_choice.embedded(config.backend).operators
    return (*own, *(MODEL_OPERATORS if crew.completer is not None else ()))


def ledger(crew: Crew, config: CampaignConfig, state: CampaignState) -> Ledger | None:
    """The account of a campaign's models; None without any."""
    if crew.completer is None:
        return None
    return Ledger(crew.prices, config.answer_tokens, config.tokens, config.dollars, state.spending)


def breeder(
    crew: Crew,
    config: CampaignConfig,
    state: CampaignState,
    archive: Archive,
    search: Search,
    nursery: Nursery,
    account: Ledger | None,
    problem: Problem,
    target: Target,
    tell: Callable[[str], None],
) -> Breeder:
    """Who makes the children of this campaign.

    Raises:
        ConfigError: The folder to record into cannot be used.
    """
    if crew.choice.name == OUTSIDE:
        inbox = crew.inbox or Inbox.shut()
        inbox.open(workplace(config, state.record, archive, search, problem, target))
        return inbox
    embedded = embedded_choice.embedded(config.backend)
    if embedded.remark and (crew.completer is None or config.largest_mix > 0):
        tell(embedded.remark)
    if crew.completer is None or account is None:
        return EmbeddedBreeder(embedded, search, nursery)
    recorder = None
    if config.record is not None:
        recorder = Recorder(Path(config.record).expanduser(), fresh=not state.calls)
    questions = Questions(state.record.id, archive, crew.completer, account)
    for lost in questions.restore(state.calls):
        nothing_known = ModelCall(lost.script.model, 0.0)
        search.answered(lost.call, lost.script.operator, lost.script.parents, nothing_known, False)
        if recorder is not None:
            model = lost.script.model
            nothing = Completion(model, 0.0, trouble=Trouble.UNAVAILABLE, error=LOST)
            recorder.keep(lost.number, lost.script, lost.prompt, nothing)
    known = _examples(config, archive, problem, target)
    writer = prompter(config, problem, target, known=known)
    reviewer = None
    if config.reviewer is not None:
        reviewer = Reviewer(
            config.reviewer, questions, writer, search, config.review_audit, config.random_seed
        )
    return ModelBreeder(
        questions,
        writer,
        search,
        Harvest(state.record.id, crew.completer.name, search, nursery, archive, recorder),
        EmbeddedBreeder(embedded, search, nursery) if config.largest_mix > 0 else None,
        Manners(config.in_flight, config.largest_mix, config.when_model_fails == "stop"),
        _before(config, archive, problem),
        tell,
        reviewer,
    )


def workplace(
    config: CampaignConfig,
    record: CampaignRecord,
    archive: Archive,
    search: Search,
    problem: Problem,
    target: Target,
) -> Workplace:
    """A campaign for those who hand its kernels in; it need not be running.

    Raises:
        ConfigError: See `prompter`.
    """
    return Workplace(
        record,
        search,
        Nursery(record, archive, search, alone=config.keeps_to_itself),
        prompter(
            config, problem, target, "answer_tool", _examples(config, archive, problem, target)
        ),
        _before(config, archive, problem),
    )


def _before(config: CampaignConfig, archive: Archive, problem: Problem) -> list[Lesson] | None:
    """What other campaigns taught; None if prompts are to say nothing of the kind."""
    if config.lessons == "none":
        return None
    return (
        [] if config.lessons == "own" or config.keeps_to_itself else transferred(archive, problem)
    )


def foreign(config: CampaignConfig, archive: Archive, record: CampaignRecord) -> list[StoredElite]:
    """Kernels of other backends and targets to begin from."""
    return [] if not config.port or config.keeps_to_itself else ports.sources_of(archive, record)


def _examples(
    config: CampaignConfig, archive: Archive, problem: Problem, target: Target
) -> list[Example]:
    """Changes that paid in other campaigns; recordings and their replays do without."""
    if config.lessons != "archive" or config.keeps_to_itself:
        return []
    return examples(archive, problem, config.backend, isa_of(target))


def prompter(
    config: CampaignConfig,
    problem: Problem,
    target: Target,
    answer: str | None = None,
    known: Sequence[Example] = (),
) -> Prompter:
    """Who writes prompts, as the configuration says.

    Args:
        config: What they may hold.
        problem, target: What they are about.
        answer: Template of how to answer; None for that of the operator.
        known: Changes that paid elsewhere.

    Raises:
        ConfigError: The file of instructions, or a technique card, cannot be read.
    """

    folder = cache_folder()

    def roofline() -> Roofline | None:
        return stored(target, folder)

    return Prompter(
        problem,
        config.backend,
        target,
        roofline,
        cards=cards.load(config.backend, Path(config.cards).expanduser() if config.cards else None),
        examples=known,
        instructions=instructions(config),
        budget=config.prompt_tokens,
        answer=answer,
        tuned=config.largest_mix > 0,
    )


def instructions(config: CampaignConfig) -> str:
    """The operator's own words.

    Raises:
        ConfigError: They are in a file that cannot be read.
    """
    given = config.instructions or ""
    if "\n" in given or len(given) > 1000:
        return given
    path = Path(given).expanduser()
    try:
        return path.read_text(encoding="utf-8") if given and path.is_file() else given
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text ({error})") from error

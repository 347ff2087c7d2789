"""A brief before there is a campaign: the best of the archive, and what other campaigns taught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent import assembly
from agent.knowledge.transfer import transferred
from agent.lessons import Lessons
from agent.outside import Question
from agent.prompts import exhibits
from agent.prompts.material import Material
from db.archive import Archive
from evaluator import catalogue
from evaluator.target import local_cpu

if TYPE_CHECKING:
    from agent.cli.config import CampaignConfig


def first_brief(
    settings: CampaignConfig, archive: Archive, problem: str, parents: Sequence[str]
) -> Question:
    """What the author of a problem's first kernel should know.

    Args:
        settings: What briefs may hold.
        archive: Open.
        problem: A listed name, or the path of a folder.
        parents: Stored kernels to start from; none: the best one, at last the seed.

    Raises:
        KernelmillError: There is no such problem or kernel.
    """
    loaded, target = catalogue.load(problem), local_cpu()
    if parents:
        shown = [exhibits.stored(archive, name, loaded, target) for name in parents]
    else:
        shown = exhibits.best(archive, loaded, settings.backend, target, 1)
    failed = shown[0].evaluation is not None and shown[0].evaluation.outcome.is_candidates_fault
    operator = "crossover" if len(shown) > 1 else "repair" if failed else "rewrite"
    lessons: list[str] = []
    if settings.lessons == "archive":
        lessons = Lessons().worth_telling(transferred(archive, loaded))
    writer = assembly.prompter(settings, loaded, target, answer="answer_tool")
    prompt = writer.prompt(Material(operator, tuple(shown), lessons=tuple(lessons)))
    return Question(prompt.text, operator, tuple(e.candidate for e in shown))

"""Putting a prompt together: which parts, in which order, and which go first when room is short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from agent.knowledge.cards import Card, choose
from agent.knowledge.pairs import Example
from agent.knowledge.pairs import choose as likest
from agent.knowledge.signs import isa_of, signs, source_of
from agent.models.completer import Prompt
from agent.ports import OPERATOR as PORT
from agent.prompts import facts, findings
from agent.prompts.material import Exhibit, Material
from agent.prompts.templates import filled, label
from agent.prompts.trimming import Section, fitted
from evaluator.candidate import Candidate
from evaluator.errors import SourceError
from evaluator.evaluation import Evaluation
from evaluator.problem import Problem
from evaluator.roofline import Roofline
from evaluator.signature import parameters, prototype
from evaluator.target import Target
from evaluator.tunables import ALLOWED_FLAGS, with_values

EXAMPLE, CARDS, INSPIRATIONS, FAILURES, LESSONS, DIAGNOSIS, MACHINE = 7, 6, 5, 4, 3, 2, 1
"""In this order parts are left out when room is short; everything else stays."""
_PARENT_TITLES = {
    "repair": "The kernel to repair",
    "crossover": "The first kernel",
    "simplify": "The kernel to simplify",
}


class Prompter:
    """Writes prompts for one problem on one target.

    Args:
        problem: What kernels compute.
        backend: Their language.
        target: Where they run.
        roofline: What the machine reaches, as far as it is known when a prompt is written.
        cards: Technique cards to choose from.
        examples: Changes that paid elsewhere, to choose from.
        instructions: The operator's own words, "" for none.
        budget: Tokens a prompt may have, by estimate.
        answer: Template of how to answer; None for that of the operator.
        tuned: Somebody tries other values of declared tunables.
    """

    def __init__(
        self,
        problem: Problem,
        backend: str,
        target: Target,
        roofline: Callable[[], Roofline | None],
        *,
        cards: Sequence[Card] = (),
        examples: Sequence[Example] = (),
        instructions: str = "",
        budget: int = 12_000,
        answer: str | None = None,
        tuned: bool = True,
    ) -> None:
        self._problem = problem
        self._backend = backend
        self._target = target
        self._roofline = roofline
        self._cards = cards
        self._examples = examples
        self._instructions = instructions
        self._budget = budget
        self._answer = answer
        self._tuned = tuned
        self._tag = facts.TAGS[backend]
        self._sheet: tuple[Roofline | None, str] | None = None

    def prompt(self, material: Material) -> Prompt:
        """What is sent for this material.

        Raises:
            PromptTooLargeError: The parts that always stay do not fit into the budget.
        """
        fixed = Section("system", self._system)
        kept = fitted([fixed, *self._sections(material)], self._budget)
        user = "\n".join(section.text for section in kept if section is not fixed)
        return Prompt(self._system, user, label(self._backend, material.operator))

    def review(self, kernel: Candidate) -> Prompt:
        """What a reviewer is asked about a kernel that nobody has built."""
        own = facts.LANGUAGES[self._backend]
        parts = [
            self._task,
            self._numeric,
            filled("other", title="The kernel to review", standing=f"It is written in {own}.",
                   tag=self._tag, source=shown_source(kernel)),
            filled("answer_review"),
        ]  # fmt: skip
        return Prompt(filled("system_review"), "\n".join(parts), label(self._backend, "review"))

    def diagnosis(self, evaluation: Evaluation | None) -> list[str]:
        """Where the time of a kernel goes, in lines; none unless it is right and was timed."""
        widest = next((v for v in ("avx512", "avx2") if v in self._isa()), "")
        return findings.diagnosis(self._problem, evaluation, self._roofline(), widest)

    def _sections(self, material: Material) -> list[Section]:
        parent, shown = material.parents[0], self._signs(material)
        return [
            Section("task", self._task),
            Section("workloads", self._workloads),
            Section("numeric", self._numeric),
            Section("machine", self._machine(), MACHINE),
            Section("cards", self._techniques(shown), CARDS),
            Section("example", self._example(shown), EXAMPLE),
            Section("lessons", self._listed("lessons", material.lessons), LESSONS),
            Section("failures", self._listed(
                "failures", [self._failure(e) for e in material.failures]), FAILURES),
            *(Section("inspiration", self._other("Another kernel, to learn from", e), INSPIRATIONS)
              for e in material.inspirations),
            Section("parent", self._foreign(parent) if material.operator == PORT
                    else self._parent(material.operator, parent)),
            Section("failure", self._what_went_wrong(material.operator, parent)),
            Section("diagnosis", self._listed(
                "diagnosis", self.diagnosis(parent.evaluation)), DIAGNOSIS),
            *(Section("mate", self._other("The second kernel", e)) for e in material.parents[1:]),
            Section("instructions", filled("instructions", text=self._instructions)
                    if self._instructions.strip() else ""),
            Section("answer", self._request(material.operator, parent)),
        ]  # fmt: skip

    def _request(self, operator: str, parent: Exhibit) -> str:
        """How to answer."""
        return filled(
            self._answer or f"answer_{operator}",
            tag=self._tag,
            operator=operator,
            language=facts.LANGUAGES[parent.candidate.backend],
            own=facts.LANGUAGES[self._backend],
        )

    def _foreign(self, source: Exhibit) -> str:
        """A kernel of another backend or target."""
        backend = source.candidate.backend
        return filled(
            "port",
            home=source.home or "elsewhere",
            language=facts.LANGUAGES[backend],
            tag=facts.TAGS[backend],
            prototype=prototype(self._problem, backend),
            source=shown_source(source.candidate),
        )

    def _techniques(self, shown: frozenset[str]) -> str:
        """The cards that fit what the parent shows."""
        fit = choose(self._cards, shown, self._isa()) if shown else []
        return filled("cards", cards=fit) if fit else ""

    def _example(self, shown: frozenset[str]) -> str:
        """The change that paid on the likest kernel."""
        found = likest(self._examples, shown) if shown else None
        return "" if found is None else filled("example", example=found)

    def _signs(self, material: Material) -> frozenset[str]:
        """What the parent shows; nothing where advice is of no use. One of another machine says
        nothing about this one."""
        if material.operator in ("repair", "simplify"):
            return frozenset()
        parent = material.parents[0]
        return signs(self._problem, None if parent.home else parent.evaluation, self._isa())

    def _isa(self) -> tuple[str, ...]:
        return isa_of(self._target)

    def _machine(self) -> str:
        """The hardware sheet, written anew when more is known of it."""
        roofline = self._roofline()
        if self._sheet is None or self._sheet[0] != roofline:
            sheet = filled("hardware", facts=facts.machine(self._target, roofline))
            self._sheet = (roofline, sheet)
        return self._sheet[1]

    @cached_property
    def _system(self) -> str:
        language = filled(f"language_{self._backend}", flags=ALLOWED_FLAGS, tuned=self._tuned)
        return filled("system", language=language.strip())

    @cached_property
    def _workloads(self) -> str:
        return filled("workloads", workloads=facts.timed_workloads(self._problem))

    @cached_property
    def _numeric(self) -> str:
        laws = [law.name for law in self._problem.laws]
        return filled("numeric", policy=facts.policy(self._problem), laws=laws)

    @cached_property
    def _task(self) -> str:
        problem = self._problem
        return filled(
            "task",
            problem=problem,
            tag=self._tag,
            prototype=prototype(problem, self._backend),
            parameters=parameters(problem, self._backend),
            reference=source_of(problem.reference),
        )

    def _parent(self, operator: str, parent: Exhibit) -> str:
        return filled(
            "parent",
            title=_PARENT_TITLES.get(operator, "The kernel to improve"),
            standing=findings.standing(parent.evaluation),
            timings=findings.timings(self._problem, parent.evaluation),
            tag=self._tag,
            source=shown_source(parent.candidate),
        )

    def _other(self, title: str, exhibit: Exhibit) -> str:
        return filled(
            "other",
            title=title,
            standing=findings.standing(exhibit.evaluation),
            tag=self._tag,
            source=shown_source(exhibit.candidate),
        )

    def _what_went_wrong(self, operator: str, parent: Exhibit) -> str:
        if operator != "repair" or parent.evaluation is None:
            return ""
        return filled(
            "failure",
            outcome=parent.evaluation.outcome,
            lines=findings.failure(self._problem, parent.evaluation),
            log=findings.failure_log(self._problem, parent.evaluation),
        )

    def _failure(self, exhibit: Exhibit) -> str:
        assert exhibit.evaluation is not None  # failures were judged
        reasons = findings.failure(self._problem, exhibit.evaluation)[:1]
        plan = " ".join(exhibit.plan.split())[:160]
        return ": ".join([f"{plan} ({exhibit.evaluation.outcome})", *(r[:200] for r in reasons)])

    def _listed(self, template: str, lines: Sequence[str]) -> str:
        return filled(template, lines=lines) if lines else ""


def shown_source(candidate: Candidate) -> str:
    """A source as models see it: the measured values of its tunables are its defaults."""
    try:
        return with_values(candidate.source, candidate.tunables).rstrip("\n")
    except SourceError:  # a failed candidate whose declarations are the fault
        return candidate.source.rstrip("\n")

"""What models are told, and what they never are."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from agent.ledger import estimated_tokens
from agent.prompts import facts, findings
from agent.prompts.material import Exhibit, Material
from agent.prompts.prompter import Prompter
from agent.prompts.trimming import PromptTooLargeError, Section, fitted
from evaluator import catalogue
from evaluator.candidate import Candidate
from evaluator.evaluation import Comparison, Evaluation, Evidence, Interval, Speedup
from evaluator.outcome import Outcome
from evaluator.problem import Problem
from evaluator.roofline import Roofline
from evaluator.target import Target

FACTS = {
    "cpu": "Test CPU",
    "cores": 2,
    "isa": ["avx2", "fma", "avx512"],
    "caches": {"L1": 32 << 10, "L2": 2 << 20},
    "compiler": "g++ 13",
}
TARGET = Target("cpu-test", FACTS)
ROOFLINE = Roofline({1 << 15: 4e11, 1 << 28: 2e10}, {"float32": 1e12})
OPERATORS = ("rewrite", "patch", "crossover", "repair")


@pytest.fixture(scope="module")
def softmax() -> Problem:
    return catalogue.load("softmax")


def prompter(problem: Problem, **more: object) -> Prompter:
    return Prompter(problem, "cpp", TARGET, lambda: ROOFLINE, **more)  # type: ignore[arg-type]


def timed(problem: Problem, source: str) -> Exhibit:
    candidate = Candidate(problem.name, "cpp", source)
    interval = Interval(2.5, 2.4, 2.6)
    comparisons = tuple(
        Comparison(w.name, "seed", 1.25e-3, 3e-3, interval, (), "confirm", 0.125)
        for w in problem.time_workloads
    )
    evaluation = Evaluation(
        candidate.digest, TARGET.name, Outcome.OK, comparisons=comparisons,
        speedups=(Speedup("seed", interval, True, True),),
        profile={"vector": "avx2", "parallel_regions": 0, "instructions": 90},
        build_log="k.cpp:3:5: missed: not vectorized: control flow in loop\n",
    )  # fmt: skip
    return Exhibit(candidate, evaluation, "vectorise")


def failed(problem: Problem, evidence: Evidence, outcome: Outcome = Outcome.INCORRECT) -> Exhibit:
    candidate = Candidate(problem.name, "cpp", f"// {evidence.message[:5]}\nvoid kernel() {{}}")
    return Exhibit(candidate, Evaluation(candidate.digest, "t", outcome, (evidence,)), "a plan")


def question(problem: Problem, operator: str, parent: Exhibit) -> Material:
    mate = timed(problem, "// the mate\n")
    parents = (parent, mate) if operator == "crossover" else (parent,)
    return Material(operator, parents, (timed(problem, "// the other\n"),), (), ("a lesson",))


def test_everything_a_kernel_author_needs_is_there(softmax: Problem) -> None:
    parent = timed(softmax, catalogue.seed_source(softmax, "cpp"))
    written = prompter(softmax, instructions="Use no intrinsics.")
    prompt = written.prompt(question(softmax, "rewrite", parent))
    for words in (
        'extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols);',
        "torch.softmax(x, dim=1)", "Precision strict", "rows sum to 1",
        "1024x4096: rows=1024 cols=4096 (normal)", "Test CPU, 2 cores", "L2 2 MiB",
        "float32 1000 GFLOP/s", "It is 2.5x as fast as the seed (confirmed).",
        "1024x4096: 1.25 ms a call, 12% of the roofline", "furthest from the roofline",
        "memory traffic bounds it", "there is avx512", "no OpenMP region",
        "missed: not vectorized", "// the other", "a lesson", "Use no intrinsics.",
        "Plan: ...", "```cpp\n// Row softmax",
    ):  # fmt: skip
        assert words in prompt.user, words
    assert "C++17" in prompt.system
    assert "-ffast-math" in prompt.system
    assert prompt.template == "cpp/rewrite@1"


@pytest.mark.parametrize("name", catalogue.builtin_names())
def test_checked_workloads_never_appear(name: str) -> None:
    problem = catalogue.load(name)
    parent = timed(problem, catalogue.seed_source(problem, "cpp"))
    hidden = [w.name for w in problem.check_workloads]
    rng = random.Random(1)
    for operator in OPERATORS:
        workload = rng.choice(problem.check_workloads)
        size = max(workload.dims.values())
        evidence = rng.choice([
            Evidence("crash", f"ended by exit(3) on workload {workload.name}; it printed: {size}",
                     workload.name),
            Evidence("numeric-policy", f"y[0] is {size}.0, expected 1.0; 3 elements are wrong",
                     workload.name, {"output": "y", "index": "0", "expected": 1.0,
                                     "got": float(size), "wrong": 3}),
            Evidence("time-limit", f"no answer in time on workload {workload.name}",
                     workload.name),
        ])  # fmt: skip
        broken = failed(problem, evidence)
        first = broken if operator == "repair" else parent
        material = question(problem, operator, first)
        material = Material(operator, material.parents, material.inspirations, (broken,))
        text = prompter(problem).prompt(material).text
        bare = text.replace(parent.candidate.source.strip(), "")
        for hidden_name in hidden:
            assert not re.search(rf"(?<![\w-]){re.escape(hidden_name)}(?![\w-])", bare)
        told = findings.failure(problem, broken.evaluation)  # type: ignore[arg-type]
        assert not any(re.search(rf"\b{size}\b", line) for line in told if size > 3)


def test_a_repair_says_what_went_wrong(softmax: Problem) -> None:
    wrong = Evidence("numeric-policy", "y[0,1] is nan", softmax.time_workloads[0].name)
    text = prompter(softmax).prompt(Material("repair", (failed(softmax, wrong),))).user
    assert "It ended as `incorrect`." in text
    assert "numeric-policy: y[0,1] is nan" in text
    assert "Repair that kernel" in text


def test_room_is_made_in_the_stated_order(softmax: Problem) -> None:
    parent = timed(softmax, catalogue.seed_source(softmax, "cpp"))
    broken = failed(softmax, Evidence("build", "error: nonsense"), Outcome.BUILD_FAILED)
    material = Material(
        "rewrite", (parent,), (timed(softmax, "// the other\n"),), (broken,), ("l",)
    )
    whole = prompter(softmax).prompt(material)
    marks = ["Another kernel", "Tried before", "Lessons", "Diagnosis", "## Machine"]
    present = [[m for m in marks if m in whole.user]]
    for budget in range(estimated_tokens(whole.text), 1400, -20):
        text = prompter(softmax, budget=budget).prompt(material).text
        assert estimated_tokens(text) <= budget + 20
        present.append([m for m in marks if m in text])
    with pytest.raises(PromptTooLargeError, match="raise prompt_tokens"):
        prompter(softmax, budget=500).prompt(material)
    assert [len(p) for p in present] == sorted((len(p) for p in present), reverse=True)
    assert all(p == marks[len(marks) - len(p) :] for p in present)
    assert present[-1] == []


def test_of_equal_rank_the_last_goes_first() -> None:
    parts = [Section("a", "x" * 320, 1), Section("b", "y" * 320, 1), Section("c", "z" * 320)]
    assert [s.name for s in fitted(parts, 250)] == ["a", "c"]


def test_tunables_are_shown_with_their_measured_values(softmax: Problem) -> None:
    source = "// tunable: TILE = 16 in [16, 32]\nvoid kernel() {}\n"
    tuned = Exhibit(Candidate("softmax", "cpp", source, {"TILE": 32}), None)
    text = prompter(softmax).prompt(Material("patch", (tuned,))).user
    assert "// tunable: TILE = 32 in [16, 32]" in text


@pytest.mark.parametrize("backend", ["cpp", "cuda", "triton"])
def test_tuning_is_promised_where_somebody_tunes(softmax: Problem, backend: str) -> None:
    kernel = Material("rewrite", (Exhibit(Candidate("softmax", backend, "..."), None),))
    for tuned in (True, False):
        made = Prompter(softmax, backend, TARGET, lambda: None, tuned=tuned)
        text = made.prompt(kernel).system
        assert ("tuned for you" in text) is tuned
        assert "tunable:" in text


@pytest.mark.parametrize("backend", ["cuda", "triton"])
def test_other_languages_have_their_own_rules(softmax: Problem, backend: str) -> None:
    kernel = Exhibit(Candidate("softmax", backend, "..."), None)
    made = Prompter(softmax, backend, TARGET, lambda: None)
    prompt = made.prompt(Material("rewrite", (kernel,)))
    assert prompt.template == f"{backend}/rewrite@1"
    assert "stream" in prompt.system
    assert "-ffast-math" not in prompt.system
    assert f"```{facts.TAGS[backend]}" in prompt.user


def test_every_template_file_is_used() -> None:
    folder = Path(facts.__file__).parent
    code = "".join(p.read_text() for p in folder.glob("*.py"))
    for template in (folder / "templates").glob("*.md"):
        stem = template.stem
        assert re.search(rf'"{stem}"|"{stem.split("_")[0]}_\{{', code), stem

"""The documentation says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.cli import reference

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def test_the_command_reference_is_current() -> None:
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert written == reference.reference(), "run scripts/docs"


def test_every_command_and_option_is_documented() -> None:
    text = "".join((ROOT / p).read_text() for p in ("README.md", "docs/commands.md"))
    for name, command in reference.commands():
        assert f"`{name}`" in text
        for option in reference.options(command):
            assert any(f"`{flag}`" in text for flag in option.opts), f"{name} {option.opts}"


def test_commands_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    goals = set(re.findall(r"\bmake ([a-z]+)\b", readme))
    assert {"demo", "test"} <= goals
    assert goals <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    known = {name for name, _ in reference.commands()}
    for line in re.findall(r"^\s*(?:\.venv/bin/)?(kernelmill [a-z].*)$", readme, re.MULTILINE):
        words = line.split()
        assert " ".join(words[:2]) in known, f"README shows an unknown command: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in LINK.findall(text):
        if not re.match(r"[a-z]+:|#", link):
            assert (page.parent / link.partition("#")[0]).exists(), f"{page.name}: {link}"

"""From pages to HTML: Jinja with everything escaped, and links as they are wanted."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from agent.browse import addresses, wording
from agent.browse.links import Links
from agent.browse.page import Page

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
ASSETS = tuple(sorted(p.name for p in STATIC.iterdir() if p.suffix in (".css", ".js", ".svg")))
"""Files that pages load, under `/static/`."""


def render(page: Page, links: Links, archive: str) -> str:
    """The page as HTML.

    Args:
        page: What to draw.
        links: Where its links lead.
        archive: How to name the archive to a reader.
    """
    html = (
        _environment()
        .get_template(page.template)
        .render(
            page=page,
            view=page.view,
            drawn=page.drawn,
            to=links.to,
            static=links.static,
            archive=archive,
        )
    )
    # A lone surrogate in a text of ours would be a bug, but not one to answer nothing for.
    return html.encode("utf-8", "replace").decode()


def prepare() -> None:
    """Compile every template now, so that nobody's first page waits for it."""
    environment = _environment()
    for name in environment.list_templates():
        environment.get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=wording.finalize,
    )
    environment.filters.update(wording.FILTERS)
    environment.globals["address"] = addresses
    return environment

"""The web application: addresses, what answers at each, as HTML or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response

from agent.browse import addresses
from agent.browse.guard import Application, Guard
from agent.browse.links import ServedLinks
from agent.browse.page import Page
from agent.browse.pages import campaigns, candidate, candidates, overview, problem
from agent.browse.render import ASSETS, STATIC, prepare, render
from agent.browse.twin import twin
from db.errors import ArchiveError
from db.gallery import Gallery
from db.selection import Wanted

_LINKS = ServedLinks()
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_METHODS = ["GET", "HEAD"]
_LARGEST_KEY = 2**62
Text = Annotated[str, Query(max_length=400)]
Mark = Annotated[int | None, Query(ge=0, le=_LARGEST_KEY)]


@dataclass(frozen=True)
class Message:
    """Why there is no such page."""

    message: str


def application(gallery: Gallery, archive_option: str, hosts: Iterable[str] = ()) -> Application:
    """All pages of an archive.

    Args:
        gallery: The archive.
        archive_option: What names it on a command line, "" for the default one.
        hosts: Further names under which it may be asked.
    """
    # No pages about the interface: they would load scripts from elsewhere.
    app = FastAPI(title="Kernelmill", docs_url=None, redoc_url=None, openapi_url=None)
    _Pages(app, gallery, archive_option)
    prepare()
    return Guard(app, hosts)


class _Pages:
    """Ties addresses to pages."""

    def __init__(self, app: FastAPI, gallery: Gallery, archive_option: str) -> None:
        self._gallery = gallery
        self._option = archive_option
        self._add(app, addresses.OVERVIEW, self.overview, twin_at="/index.json")
        # A suffix is part of a name for the router: the twins come first.
        for path, endpoint in (
            ("/targets/{name}", self.target),
            ("/problems/{name}", self.problem),
            ("/problems/{name}/{target}", self.problem),
            (addresses.CAMPAIGNS, self.campaigns),
            ("/campaigns/{key}", self.campaign),
            ("/campaigns/{key}/lineage", self.lineage),
            ("/campaigns/{key}/proposals", self.proposals),
            (addresses.CANDIDATES, self.candidates),
            ("/candidates/{digest}", self.candidate),
            (addresses.LESSONS, self.lessons),
            ("/compare/{a}/{b}", self.compare),
        ):
            self._add(app, path, endpoint, twin_at=f"{path}.json")
        app.add_api_route("/compare", self.choose, methods=_METHODS)
        app.add_api_route("/candidates/{digest}/{name}", self.download, methods=_METHODS)
        app.add_api_route("/static/{name}", self.asset, methods=_METHODS)
        app.add_exception_handler(ArchiveError, self.missing)
        app.add_exception_handler(RequestValidationError, self.unreadable)
        app.add_exception_handler(404, self.missing)

    @staticmethod
    def _add(app: FastAPI, path: str, endpoint: Callable[..., Response], twin_at: str) -> None:
        app.add_api_route(twin_at, endpoint, methods=_METHODS, response_model=None)
        app.add_api_route(path, endpoint, methods=_METHODS, response_model=None)

    def overview(self, request: Request) -> Response:
        return self._answer(request, overview.overview_page(self._gallery))

    def target(self, request: Request, name: str) -> Response:
        page = overview.target_page(self._gallery, addresses.name_in(name))
        return self._answer(request, page)

    def problem(self, request: Request, name: str, target: str | None = None) -> Response:
        on = None if target is None else addresses.name_in(target)
        page = problem.problem_page(self._gallery, addresses.name_in(name), on)
        return self._answer(request, page)

    def campaigns(self, request: Request, before: Mark = None) -> Response:
        return self._answer(request, campaigns.campaign_list(self._gallery, before))

    def campaign(self, request: Request, key: str) -> Response:
        page = campaigns.campaign_page(self._gallery, key)
        return self._answer(request, page)

    def lineage(
        self, request: Request, key: str, root: Annotated[Text, Query(alias="from")] = ""
    ) -> Response:
        start = self._gallery.digest(root) if root else None
        return self._answer(request, campaigns.lineage_page(self._gallery, key, start))

    def proposals(self, request: Request, key: str, before: Mark = None) -> Response:
        return self._answer(request, campaigns.proposal_list(self._gallery, key, before))

    def candidates(
        self,
        request: Request,
        q: Text = "",
        problem: Text = "",
        target: Text = "",
        backend: Text = "",
        outcome: Text = "",
        operator: Text = "",
        confirmed: Text = "",
        order: Text = "best",
        after: Text = "",
    ) -> Response:
        wanted = Wanted(
            text=q.strip() or None,
            problem=problem or None,
            target=target or None,
            backend=backend or None,
            outcome=outcome or None,
            operator=operator or None,
            confirmed=bool(confirmed),
            newest=order == "newest",
        )
        page = candidates.search_page(self._gallery, wanted, after or None)
        return self._answer(request, page)

    def candidate(self, request: Request, digest: str) -> Response:
        page = candidate.candidate_page(self._gallery, digest, self._option)
        return self._answer(request, page)

    def lessons(
        self, request: Request, problem: Text = "", target: Text = "", before: Mark = None
    ) -> Response:
        page = candidates.lessons_page(self._gallery, problem or None, target or None, before)
        return self._answer(request, page)

    def compare(self, request: Request, a: str, b: str) -> Response:
        return self._answer(request, candidates.compare_page(self._gallery, a, b))

    def choose(self, a: Text, b: Text) -> Response:
        """What the form asks for, at an address that says so."""
        there = addresses.comparison(self._gallery.digest(a), self._gallery.digest(b))
        return RedirectResponse(there, 303)

    def download(self, digest: str, name: str) -> Response:
        wanted, content = candidate.download(self._gallery, digest)
        if name != wanted:
            raise ArchiveError(f"its source is called {wanted}")
        # Never shown in place, and never as anything but text.
        return Response(
            content,
            media_type="text/plain; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{wanted}"'},
        )

    def asset(self, name: str) -> Response:
        if name not in ASSETS:
            raise ArchiveError("there is no such file")
        path = STATIC / name
        return Response(
            path.read_bytes(),
            media_type=_TYPES[path.suffix],
            headers={"cache-control": "max-age=300"},
        )

    async def missing(self, request: Request, error: Exception) -> Response:
        known = isinstance(error, ArchiveError)
        message = str(error) if known else "There is nothing at this address."
        return self._problem(request, 404, "Not found", message)

    async def unreadable(self, request: Request, error: Exception) -> Response:
        return self._problem(request, 400, "Not understood", "A part of the address has no sense.")

    def _problem(self, request: Request, status: int, title: str, message: str) -> Response:
        page = Page("message.html", title, "", Message(message))
        return self._answer(request, page, status)

    def _answer(self, request: Request, page: Page, status: int = 200) -> Response:
        headers = {"cache-control": "no-store", "vary": "accept"}
        if _wants_json(request):
            return Response(twin(page), status, headers, "application/json")
        html = render(page, _LINKS, self._gallery.location)
        return Response(html, status, headers, "text/html; charset=utf-8")


def _wants_json(request: Request) -> bool:
    if request.url.path.endswith(".json"):
        return True
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept

"""What the page can ask for.

    GET    /                     the page
    GET    /here?page=NAME       an answer that lasts as long as the page is open
    POST   /closed?page=NAME     the page was closed
    POST   /leave?page=NAME      forget everything, of all pages, and end
    POST   /active               the person is doing something
    POST   /guide                answers to the guide's questions -> what to do, as HTML
    PUT    /files/7              begin with a file: {"size": bytes, "variants": bool}
    POST   /files/7              is there anything new?
    POST   /files/7/pieces/3     the piece that is wanted
    POST   /files/7/unreadable   the file cannot be read any more
    DELETE /files/7              call it off, or forget it
    GET    /submission?page=NAME what may leave this machine, to be saved

All but the first are for a page that is open: where no name is in the address, the header
``X-Page`` has it. The page gives its files their numbers. What is said of a file is ``{"want":
[serial, start, length], "part": 0.4}``, with null while nothing is wanted, and at the end
``{"done": …}``. Whatever is asked twice, since there was no answer, is done once.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import astuple
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from hashkit.errors import FileChanged
from hashkit.guide.guidance import COUNTRIES, Age, Answers, guidance
from hashkit.locale.language import LANGUAGES, PSEUDO, best_of, texts_in
from hashkit.sandbox.remote_file import MAX_PIECE
from hashkit.web.lifetime import Lifetime
from hashkit.web.pages import WORKERS, Page, Pages
from hashkit.web.rendering import Renderer
from hashkit.web.words import in_words

_MAX_QUESTION = 10_000  # bytes
_LARGEST_FILE = 1 << 50  # bytes
_DIGITS = 9  # of the number of a file, or of a piece
_WAIT = 0.5  # seconds that the page waits for an answer, at most
_BEAT = 15.0  # seconds

# As some systems have it, scripts are plain text, and a browser that is told so runs none.
for _ending, _kind in {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}.items():
    mimetypes.add_type(_kind, _ending)


class LocalPage:
    """The page's server side. ``end`` is called when it is over; ``language`` is None where the
    browser is to be asked."""

    def __init__(self, end: Callable[[], None], language: str | None = None) -> None:
        self.pages, self.lifetime, self.renderer = Pages(), Lifetime(), Renderer()
        self._end, self._language = end, language
        self._ending = asyncio.Event()
        static = str(resources.files("hashkit.web") / "static")
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/here", self._here),
                Route("/closed", self._closed, methods=["POST"]),
                Route("/leave", self._leave, methods=["POST"]),
                Route("/active", self._active, methods=["POST"]),
                Route("/guide", self._guide, methods=["POST"]),
                Route("/files/{file}", self._begin, methods=["PUT"]),
                Route("/files/{file}", self._news, methods=["POST"]),
                Route("/files/{file}", self._remove, methods=["DELETE"]),
                Route("/files/{file}/pieces/{serial}", self._piece, methods=["POST"]),
                Route("/files/{file}/unreadable", self._unreadable, methods=["POST"]),
                Route("/submission", self._submission),
                Mount("/static", StaticFiles(directory=static)),
            ]
        )

    def end(self) -> None:
        """Forget everything, let go of the pages, and end."""
        self._ending.set()
        self.pages.close()
        self._end()

    def refused(self, accepted: str) -> str:
        """The page for those who may not see the other, in a language that they accept."""
        return self.renderer.refused(self._language or best_of(accepted))

    async def _page(self, request: Request) -> Response:
        language = request.query_params.get("language") or self._language
        if language not in (*LANGUAGES, PSEUDO):
            language = best_of(request.headers.get("accept-language", ""))
        name = self.pages.open(language)
        if name is None:
            return HTMLResponse(self.renderer.refused(language), 409)
        return HTMLResponse(self.renderer.page(language, name, WORKERS))

    async def _here(self, request: Request) -> Response:
        page = self._named(request)

        async def beats() -> AsyncIterator[bytes]:
            self.lifetime.opened()
            self.pages.is_here(page)
            try:
                while not self._ending.is_set():
                    yield b"."
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._ending.wait(), _BEAT)
            finally:
                self.lifetime.closed()
                self.pages.is_away(page)

        return StreamingResponse(beats(), media_type="text/plain")

    async def _closed(self, request: Request) -> Response:
        self.pages.drop(request.query_params.get("page", ""))
        return Response(status_code=204)

    async def _leave(self, request: Request) -> Response:
        _ = self._named(request)
        self.end()
        return Response(status_code=204)

    async def _active(self, request: Request) -> Response:
        _ = self._page_of(request)
        self.lifetime.active()
        return Response(status_code=204)

    async def _guide(self, request: Request) -> Response:
        page = self._page_of(request)
        self.lifetime.active()
        fields = await _json_of(request)
        try:
            answers = _answers(fields)
        except (KeyError, TypeError, ValueError) as error:
            raise HTTPException(400) from error
        return HTMLResponse(self.renderer.guidance(page.language, guidance(answers)))

    async def _begin(self, request: Request) -> Response:
        page, number = self._page_of(request), _number_in(request, "file")
        match await _json_of(request):
            case {"size": int(size), "variants": bool(variants)} if 0 <= size <= _LARGEST_FILE:
                pass
            case _:
                raise HTTPException(400)
        if page.is_full:
            raise HTTPException(409)
        self.lifetime.active()
        self.pages.hash(page, number, size, variants=variants)
        return JSONResponse(await _state_of(page, number))

    async def _news(self, request: Request) -> Response:
        return JSONResponse(await _state_of(self._page_of(request), _number_in(request, "file")))

    async def _piece(self, request: Request) -> Response:
        page, number = self._page_of(request), _number_in(request, "file")
        piece = await _body_of(request, MAX_PIECE)
        if number in page.transfers:
            try:
                page.transfers[number].give(_number_in(request, "serial"), piece)
            except ValueError as error:
                raise HTTPException(409) from error
        return JSONResponse(await _state_of(page, number))

    async def _unreadable(self, request: Request) -> Response:
        page, number = self._page_of(request), _number_in(request, "file")
        if number in page.transfers:
            page.transfers[number].give_up(FileChanged())
        return JSONResponse(await _state_of(page, number))

    async def _remove(self, request: Request) -> Response:
        self._page_of(request).remove(_number_in(request, "file"))
        return Response(status_code=204)

    async def _submission(self, request: Request) -> Response:
        submission = self._named(request).submission()
        self.lifetime.active()
        if not submission.items:
            raise HTTPException(404)
        return Response(
            submission.to_json(),
            media_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="submission.json"'},
        )

    def _page_of(self, request: Request) -> Page:
        return self._known(request.headers.get("x-page", ""))

    def _named(self, request: Request) -> Page:
        return self._known(request.query_params.get("page", ""))

    def _known(self, name: str) -> Page:
        page = self.pages.find(name)
        if page is None:
            raise HTTPException(404)
        return page


async def _state_of(page: Page, number: int) -> dict[str, Any]:
    """How far a file is, once there is something to be told of it."""
    if (transfer := page.transfers.get(number)) is not None:
        await transfer.news(_WAIT)
        if transfer.outcome is None:
            return {"want": transfer.want and astuple(transfer.want), "part": transfer.part}
        if number in page.transfers:  # and was not removed meanwhile
            page.finish(number, transfer.outcome)
    outcome = page.outcomes.get(number)
    if outcome is None:
        raise HTTPException(404)
    said, texts = in_words(outcome), texts_in(page.language)
    return {
        "done": {
            "verdict": said.verdict.value,
            "kind": outcome.kind and outcome.kind.value,
            "title": texts.gettext(said.title),
            "points": [texts.gettext(point) for point in said.points],
        }
    }


def _number_in(request: Request, name: str) -> int:
    text = request.path_params[name]
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise HTTPException(404)
    return int(text)


def _answers(untrusted: dict[str, Any]) -> Answers:
    """KeyError, TypeError or ValueError for what is no answer to the guide's questions."""
    if untrusted["country"] not in COUNTRIES:
        raise ValueError("no such country here")
    age, age_in_picture = Age(untrusted["age"]), Age(untrusted["age_in_picture"])
    return Answers(age, age_in_picture, untrusted["country"], untrusted["threatened"] is True)


async def _json_of(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await _body_of(request, _MAX_QUESTION))
    except (ValueError, RecursionError) as error:
        raise HTTPException(400) from error
    if not isinstance(found, dict):
        raise HTTPException(400)
    return found


async def _body_of(request: Request, longest: int) -> bytes:
    """The body, refused as soon as it is longer than it may be."""
    parts, length = [], 0
    try:
        async for part in request.stream():
            length += len(part)
            if length > longest:
                raise HTTPException(413)
            parts.append(part)
    except ClientDisconnect as error:
        raise HTTPException(400) from error
    return b"".join(parts)

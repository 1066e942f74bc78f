"""The requests that the local page makes.

    GET    /                     the page
    GET    /here?page=NAME       a response that lasts as long as the page is open
    POST   /closed?page=NAME     the page was closed
    POST   /leave?page=NAME      forget everything, of all pages, and end
    POST   /active               the user is active
    POST   /guide                answers to the guide's questions -> what to do, as HTML
    PUT    /files/7              start with a file: {"size": bytes, "variants": bool}
    POST   /files/7              the state of the file, after a short wait for a change
    POST   /files/7/ranges/3     the requested range
    POST   /files/7/unreadable   the file cannot be read any more
    DELETE /files/7              cancel the file, or forget it
    GET    /submission?page=NAME the submission, to be saved

All but the first are for an open page, named in the address or in the header ``X-Page``. The page
numbers its files. The state of a file is ``{"read": [serial, start, length], "part": 0.4}``, with
null while no range is requested, and at the end ``{"done": …}``. A request that is repeated, since
its response was lost, has no further effect.
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
from hashkit.sandbox.remote_file import MAX_RANGE
from hashkit.web.lifetime import Lifetime
from hashkit.web.pages import WORKERS, Page, Pages
from hashkit.web.rendering import Renderer
from hashkit.web.words import describe

_MAX_JSON = 10_000  # bytes
_MAX_FILE_SIZE = 1 << 50  # bytes
_MAX_DIGITS = 9  # of the number of a file or range
_POLL_TIMEOUT = 0.5  # seconds
_HEARTBEAT = 15.0  # seconds

# Some systems map scripts to plain text, which browsers do not run.
for _suffix, _media_type in {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}.items():
    mimetypes.add_type(_media_type, _suffix)


class LocalPage:
    """The page's server side. ``end`` is called to stop the server; ``language`` is None to follow
    the browser."""

    def __init__(self, end: Callable[[], None], language: str | None = None) -> None:
        self.pages, self.lifetime, self.renderer = Pages(), Lifetime(), Renderer()
        self._end, self._language = end, language
        self._ending = asyncio.Event()
        static = str(resources.files("hashkit.web") / "static")
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/here", self._connect),
                Route("/closed", self._closed, methods=["POST"]),
                Route("/leave", self._leave, methods=["POST"]),
                Route("/active", self._active, methods=["POST"]),
                Route("/guide", self._guide, methods=["POST"]),
                Route("/files/{file}", self._begin, methods=["PUT"]),
                Route("/files/{file}", self._state, methods=["POST"]),
                Route("/files/{file}", self._remove, methods=["DELETE"]),
                Route("/files/{file}/ranges/{serial}", self._range, methods=["POST"]),
                Route("/files/{file}/unreadable", self._unreadable, methods=["POST"]),
                Route("/submission", self._submission),
                Mount("/static", StaticFiles(directory=static)),
            ]
        )

    def end(self) -> None:
        """Forget everything, end the pages' connections, and stop the server."""
        self._ending.set()
        self.pages.close()
        self._end()

    def refused(self, accepted: str) -> str:
        """The error page in a language that the browser accepts."""
        return self.renderer.refused(self._language or best_of(accepted))

    async def _page(self, request: Request) -> Response:
        language = request.query_params.get("language") or self._language
        if language not in (*LANGUAGES, PSEUDO):
            language = best_of(request.headers.get("accept-language", ""))
        name = self.pages.open(language)
        if name is None:
            return HTMLResponse(self.renderer.refused(language), 409)
        return HTMLResponse(self.renderer.page(language, name, WORKERS))

    async def _connect(self, request: Request) -> Response:
        page = self._page_in_query(request)

        async def heartbeats() -> AsyncIterator[bytes]:
            self.lifetime.opened()
            self.pages.connected(page)
            try:
                while not self._ending.is_set():
                    yield b"."
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._ending.wait(), _HEARTBEAT)
            finally:
                self.lifetime.closed()
                self.pages.disconnected(page)

        return StreamingResponse(heartbeats(), media_type="text/plain")

    async def _closed(self, request: Request) -> Response:
        self.pages.drop(request.query_params.get("page", ""))
        return Response(status_code=204)

    async def _leave(self, request: Request) -> Response:
        _ = self._page_in_query(request)
        self.end()
        return Response(status_code=204)

    async def _active(self, request: Request) -> Response:
        _ = self._page_in_header(request)
        self.lifetime.active()
        return Response(status_code=204)

    async def _guide(self, request: Request) -> Response:
        page = self._page_in_header(request)
        self.lifetime.active()
        fields = await _json_of(request)
        try:
            answers = _answers(fields)
        except (KeyError, TypeError, ValueError) as error:
            raise HTTPException(400) from error
        return HTMLResponse(self.renderer.guidance(page.language, guidance(answers)))

    async def _begin(self, request: Request) -> Response:
        page, number = self._page_in_header(request), _number_in(request, "file")
        match await _json_of(request):
            case {"size": int(size), "variants": bool(variants)} if 0 <= size <= _MAX_FILE_SIZE:
                pass
            case _:
                raise HTTPException(400)
        if page.is_full:
            raise HTTPException(409)
        self.lifetime.active()
        self.pages.hash(page, number, size, variants=variants)
        return JSONResponse(await _state_of(page, number))

    async def _state(self, request: Request) -> Response:
        return JSONResponse(
            await _state_of(self._page_in_header(request), _number_in(request, "file"))
        )

    async def _range(self, request: Request) -> Response:
        page, number = self._page_in_header(request), _number_in(request, "file")
        data = await _body_of(request, MAX_RANGE)
        if number in page.transfers:
            try:
                page.transfers[number].receive(_number_in(request, "serial"), data)
            except ValueError as error:
                raise HTTPException(409) from error
        return JSONResponse(await _state_of(page, number))

    async def _unreadable(self, request: Request) -> Response:
        page, number = self._page_in_header(request), _number_in(request, "file")
        if number in page.transfers:
            page.transfers[number].fail(FileChanged())
        return JSONResponse(await _state_of(page, number))

    async def _remove(self, request: Request) -> Response:
        self._page_in_header(request).remove(_number_in(request, "file"))
        return Response(status_code=204)

    async def _submission(self, request: Request) -> Response:
        submission = self._page_in_query(request).submission()
        self.lifetime.active()
        if not submission.items:
            raise HTTPException(404)
        return Response(
            submission.to_json(),
            media_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="submission.json"'},
        )

    def _page_in_header(self, request: Request) -> Page:
        return self._find_page(request.headers.get("x-page", ""))

    def _page_in_query(self, request: Request) -> Page:
        return self._find_page(request.query_params.get("page", ""))

    def _find_page(self, name: str) -> Page:
        page = self.pages.find(name)
        if page is None:
            raise HTTPException(404)
        return page


async def _state_of(page: Page, number: int) -> dict[str, Any]:
    """The state of a file, after a short wait for a change."""
    if (transfer := page.transfers.get(number)) is not None:
        await transfer.wait_for_change(_POLL_TIMEOUT)
        if transfer.outcome is None:
            requested = transfer.requested and astuple(transfer.requested)
            return {"read": requested, "part": transfer.part}
        if number in page.transfers:  # and was not removed meanwhile
            page.finish(number, transfer.outcome)
    outcome = page.outcomes.get(number)
    if outcome is None:
        raise HTTPException(404)
    description, texts = describe(outcome), texts_in(page.language)
    return {
        "done": {
            "verdict": description.usability.value,
            "kind": outcome.kind and outcome.kind.value,
            "title": texts.gettext(description.title),
            "points": [texts.gettext(point) for point in description.points],
        }
    }


def _number_in(request: Request, name: str) -> int:
    text = request.path_params[name]
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise HTTPException(404)
    return int(text)


def _answers(untrusted: dict[str, Any]) -> Answers:
    """KeyError, TypeError or ValueError for invalid answers."""
    if untrusted["country"] not in COUNTRIES:
        raise ValueError("no such country")
    age, age_in_picture = Age(untrusted["age"]), Age(untrusted["age_in_picture"])
    return Answers(age, age_in_picture, untrusted["country"], untrusted["threatened"] is True)


async def _json_of(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await _body_of(request, _MAX_JSON))
    except (ValueError, RecursionError) as error:
        raise HTTPException(400) from error
    if not isinstance(found, dict):
        raise HTTPException(400)
    return found


async def _body_of(request: Request, max_length: int) -> bytes:
    """The body; 413 as soon as it is longer than ``max_length``."""
    parts, length = [], 0
    try:
        async for part in request.stream():
            length += len(part)
            if length > max_length:
                raise HTTPException(413)
            parts.append(part)
    except ClientDisconnect as error:
        raise HTTPException(400) from error
    return b"".join(parts)

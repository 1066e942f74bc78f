"""Begins and ends the local page: one port on 127.0.0.1, and no way out.

This process has to be reached from the browser, so it cannot give up the network as a whole, as
other commands do. It gives up all but answering: once it listens, it can open no connection and no
other port (``lockdown.lock_outgoing``). Files are opened by isolated workers, as always.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

import uvicorn

from hashkit.errors import PageUnavailable
from hashkit.sandbox.lockdown import lock_outgoing
from hashkit.web.app import LocalPage
from hashkit.web.connections import Connection
from hashkit.web.guard import Guard

_LOOK = 1.0  # seconds


def serve(open_page: Callable[[str], None], language: str | None = None) -> None:
    """Serve the page until it is closed, idle or left, or this process is interrupted.

    ``open_page`` is called once, with the address, when somebody can be answered there; after
    that, no connection can be opened any more. ``language`` is None where the browser is to be
    asked. Raises PageUnavailable where no port is to be had.
    """
    try:
        listening = socket.create_server(("127.0.0.1", 0))
    except OSError as error:
        raise PageUnavailable from error
    logging.disable()  # whoever sends odd requests must not be able to fill a log
    with listening:
        asyncio.run(_serve(listening, open_page, language))


async def _serve(
    listening: socket.socket, open_page: Callable[[str], None], language: str | None
) -> None:
    page = LocalPage(lambda: setattr(server, "should_exit", True), language)
    guard = Guard(page.app, listening.getsockname()[1], page.refused)
    server = uvicorn.Server(
        uvicorn.Config(
            guard,
            http=Connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    open_page(guard.address)
    lock_outgoing()
    watching = asyncio.create_task(_watch(page, server))
    try:
        await server.serve([listening])
    finally:
        watching.cancel()
        page.end()


async def _watch(page: LocalPage, server: uvicorn.Server) -> None:
    """End it when it is over; and let go of the pages when it is interrupted, or they would hold
    the server."""
    while not server.should_exit:
        await asyncio.sleep(_LOOK)
        page.pages.drop_those_away()
        if page.lifetime.is_over(busy=page.pages.busy):
            break
    page.end()

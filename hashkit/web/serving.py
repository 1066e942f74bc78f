"""Starts and stops the local page's server: one port on 127.0.0.1, no outgoing connections.

This process must be reachable from the browser, so it cannot deny itself the whole network as other
commands do. Once it listens, it denies itself outgoing connections and further ports
(``lockdown.lock_outgoing``). Files are opened by sandboxed workers, as always.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import cast

import uvicorn

from hashkit.errors import PageUnavailable
from hashkit.sandbox.lockdown import lock_outgoing
from hashkit.web.app import LocalPage
from hashkit.web.connections import MAX_CONNECTIONS, Connections
from hashkit.web.guard import Guard
from hashkit.web.peers import SocketTables

_CHECK_INTERVAL = 1.0  # seconds

OpenPage = Callable[[str, str | None], None]


def serve(open_page: OpenPage, language: str | None = None) -> None:
    """Serve the page until it is closed, idle or left, or this process is interrupted.

    ``open_page`` is called once, when the port is open, with the address, and with another one that
    other users may read: it works for this user only. That is None where the system does not say
    which user a connection belongs to. The first request is answered after ``open_page`` returns,
    and from then on no outgoing connection is possible. ``language`` is None to follow the browser.
    Raises PageUnavailable if no port is free.
    """
    try:
        listening = socket.create_server(("127.0.0.1", 0))
    except OSError as error:
        raise PageUnavailable from error
    logging.disable()  # odd requests must not fill a log
    with listening, SocketTables(listening.getsockname()) as tables:
        asyncio.run(_serve(listening, tables, open_page, language))


async def _serve(
    listening: socket.socket, tables: SocketTables, open_page: OpenPage, language: str | None
) -> None:
    page = LocalPage(lambda: setattr(server, "should_exit", True), language)
    guard = Guard(page.app, listening.getsockname()[1], page.refused)
    server = uvicorn.Server(
        uvicorn.Config(
            guard,
            # uvicorn only calls it
            http=cast(type[asyncio.Protocol], Connections(tables).protocol),
            backlog=MAX_CONNECTIONS,  # as many are accepted at once: it takes a file for each
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
    open_page(guard.address, guard.ticket_address if tables.tell_owners else None)
    lock_outgoing()
    watching = asyncio.create_task(_watch(page, server))
    try:
        await server.serve([listening])
    finally:
        watching.cancel()
        page.end()


async def _watch(page: LocalPage, server: uvicorn.Server) -> None:
    """End the server when its lifetime is over. Also closes the pages when it is interrupted, since
    their connections would keep it running."""
    while not server.should_exit:
        await asyncio.sleep(_CHECK_INTERVAL)
        page.pages.drop_disconnected()
        if page.lifetime.is_over(busy=page.pages.busy):
            break
    page.end()

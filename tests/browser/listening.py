"""Listens on ports of this computer, and says what arrives at each."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterable

ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"  # a browser stays where it is


class Listener:
    """A port for each name, for connections and for datagrams. ``arrived`` has the most that came
    to each: "connection" without a word, "request", "datagram"."""

    def __init__(self, names: Iterable[str]) -> None:
        self.arrived: dict[str, str] = {}
        self.places: dict[str, str] = {}
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []
        for name in names:
            self._listen(name)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for each in self._sockets:
            each.close()
        self._selector.close()

    def _listen(self, name: str) -> None:
        while True:
            stream, datagrams = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
            stream.bind(("127.0.0.1", 0))
            try:
                datagrams.bind(stream.getsockname())
                break
            except OSError:  # somebody has it
                stream.close()
                datagrams.close()
        stream.listen()
        self.places[name] = "127.0.0.1:{1}".format(*stream.getsockname())
        self._sockets += [stream, datagrams]
        self._selector.register(stream, selectors.EVENT_READ, (self._accept, name))
        self._selector.register(datagrams, selectors.EVENT_READ, (self._receive, name))

    def _run(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.1):
                act, name = key.data
                act(key.fileobj, name)

    def _accept(self, stream: socket.socket, name: str) -> None:
        connection, _ = stream.accept()
        self.arrived.setdefault(name, "connection")
        self._sockets.append(connection)
        self._selector.register(connection, selectors.EVENT_READ, (self._read, name))

    def _read(self, connection: socket.socket, name: str) -> None:
        with contextlib.suppress(OSError):
            if connection.recv(65536):
                self.arrived[name] = "request"
                connection.sendall(ANSWER)
                connection.shutdown(socket.SHUT_WR)
                return
        self._selector.unregister(connection)
        connection.close()

    def _receive(self, datagrams: socket.socket, name: str) -> None:
        datagrams.recv(65536)
        self.arrived.setdefault(name, "datagram")

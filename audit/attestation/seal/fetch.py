"""One request to a server, over within a time: time stamps, OCSP answers, lists of revoked certificates.

Comes in: an http or https address, and what is sent there. Goes out: the body, or an `OSError`. A socket's own timeout
counts from the last byte, so that a server that sends one byte a second holds its asker for ever, and it does not bound
the look-up of a name at all. Here the whole request has one limit: it runs in a thread that is left when time is up.
The standard library alone is used, so that it works inside a running event loop, and obeys the proxy variables of the
environment.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PIECE = 1 << 16
_HANDLERS = (
    urllib.request.ProxyHandler,
    urllib.request.UnknownHandler,
    urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPErrorProcessor,
)
"""As `urllib.request.build_opener` has them, without those for files, FTP and data: no answer may lead there."""


@dataclass(slots=True)
class _Asked:
    """One request on its way."""

    end: float
    body: bytes | None = None
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)
    connections: list[http.client.HTTPConnection] = field(default_factory=list)

    def connect(self, host: str, **options: Any) -> http.client.HTTPConnection:
        return self._keep(http.client.HTTPConnection(host, **options))

    def connect_safely(self, host: str, **options: Any) -> http.client.HTTPConnection:
        return self._keep(http.client.HTTPSConnection(host, **options))

    def _keep(self, connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
        self.connections.append(connection)
        return connection

    def hang_up(self) -> None:
        """Wake the thread where it waits for a server, so that it ends too."""
        for connection in self.connections:
            with contextlib.suppress(OSError, AttributeError):  # it may be gone at this very moment
                connection.sock.shutdown(socket.SHUT_RDWR)


class _Http(urllib.request.HTTPHandler):
    def __init__(self, asked: _Asked) -> None:
        super().__init__()
        self.asked = asked

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self.asked.connect, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, asked: _Asked) -> None:
        super().__init__()
        self.asked = asked

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self.asked.connect_safely, req)


def fetch(
    address: str, *, timeout: float, largest: int, data: bytes | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """Ask a server, and return what it answers.

    Parameters
    ----------
    address : str
        http or https address, checked by the caller.
    timeout : float
        Seconds after which the request is given up, from the look-up of the name to the last byte.
    largest : int
        Bytes after which reading stops.
    data : bytes, optional
        What is sent, by POST; without it GET is used. Only GET follows where a server points to: what is posted, and
        its headers, may be meant for that server alone.
    headers : mapping of str to str, optional
        Headers of the request.

    Raises
    ------
    OSError
        The server does not answer, not in time (`TimeoutError`), not in HTTP, or with an error (`HTTPError`).
    ValueError
        The address is none.
    """
    request = urllib.request.Request(address, data=data, headers=dict(headers or {}))  # noqa: S310 - the caller's check
    asked = _Asked(time.monotonic() + timeout)
    threading.Thread(target=_run, args=(asked, request, timeout, largest), name="fetch", daemon=True).start()
    if not asked.done.wait(timeout):
        asked.hang_up()
        raise TimeoutError(f"no whole answer within {timeout:g} s")
    if asked.error is not None:
        raise asked.error
    return asked.body or b""


def _run(asked: _Asked, request: urllib.request.Request, timeout: float, largest: int) -> None:
    try:
        asked.body = _ask(asked, request, timeout, largest)
    except urllib.error.HTTPError as error:
        error.close()
        asked.error = error
    except (OSError, ValueError) as error:
        asked.error = error
    except http.client.HTTPException as error:  # is no OSError: whoever speaks no HTTP has not answered
        asked.error = OSError(f"its answer is not in HTTP ({type(error).__name__})")
    finally:
        asked.done.set()


def _ask(asked: _Asked, request: urllib.request.Request, timeout: float, largest: int) -> bytes:
    opener = urllib.request.OpenerDirector()
    redirects = () if request.data is not None else (urllib.request.HTTPRedirectHandler,)
    for handler in (*(kind() for kind in (*_HANDLERS, *redirects)), _Http(asked), _Https(asked)):
        opener.add_handler(handler)
    body = bytearray()
    with opener.open(request, timeout=timeout) as answer:
        while len(body) < largest and (piece := answer.read1(min(_PIECE, largest - len(body)))):
            body += piece
            if time.monotonic() >= asked.end:
                raise TimeoutError("the answer came too slowly")
    return bytes(body)

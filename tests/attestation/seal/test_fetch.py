"""One request has one limit: servers that drip, that speak no HTTP, that point elsewhere."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
import time
import urllib.error

import pytest

from audit.attestation.seal.fetch import fetch
from audit.attestation.seal.ocsp import ask_responder
from audit.attestation.seal.revocation_source import RevocationSource
from audit.attestation.seal.timestamp import StampServer

LIMIT = 0.4
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"


@contextlib.contextmanager
def serve_bytes(first, drip=b""):
    """Answer every connection with some bytes, then with `drip` byte by byte, for ever; yield the address."""
    ended, threads = threading.Event(), []

    def talk(connection):
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(first)
            while drip and not ended.wait(0.05):
                connection.sendall(drip)

    def listen():
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = server.accept()
                threads.append(threading.Thread(target=talk, args=(connection,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        threads.append(threading.Thread(target=listen))
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            ended.set()
            for thread in threads:
                thread.join()


SLOW = {"headers": (HEAD, b"x"), "body": (HEAD + b"\r\n", b"x"), "status": (b"", b"H")}


def fetch_threads():
    return [thread for thread in threading.enumerate() if thread.name == "fetch"]


@pytest.mark.parametrize("where", SLOW)
def test_server_that_sends_a_byte_now_and_then_is_left_in_time(where):
    with serve_bytes(*SLOW[where]) as address:
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            fetch(address, timeout=LIMIT, largest=1 << 20)
        assert time.monotonic() - start < 3 * LIMIT
        for thread in fetch_threads():  # who asked does not hang on in the dark either
            thread.join(2)
        assert not fetch_threads()


@pytest.mark.parametrize("where", SLOW)
def test_dripping_time_stamp_server_costs_its_time_and_no_more(where):
    with serve_bytes(*SLOW[where]) as address:
        server, start = StampServer(address, timeout=LIMIT), time.monotonic()
        assert server.token(b"\0" * 32) is None
        assert time.monotonic() - start < 3 * LIMIT
        assert "did not give one" in server.notes[0]


def test_dripping_responder_and_list(authority):
    with serve_bytes(*SLOW["body"]) as address:
        start = time.monotonic()
        with pytest.raises(OSError, match="slowly|no whole answer"):
            ask_responder(address, authority.middle, authority.root, timeout=LIMIT)
        source = RevocationSource(timeout=LIMIT)
        assert source._fetch(address) is None
        assert address in source._faults
        assert time.monotonic() - start < 5 * LIMIT


@pytest.mark.parametrize(
    "said", [b"220 mail.example ESMTP\r\n", b"\r\n", b"\x16\x03\x01", b"HTTP/1.1 200 OK\r\n" + b"x" * 70000]
)
def test_server_that_speaks_no_http_is_an_error_of_the_server(said):
    with serve_bytes(said) as address:
        with pytest.raises(OSError):  # any of them; what must not come is an HTTPException
            fetch(address, timeout=2, largest=100)
        server = StampServer(address, timeout=2)
        assert server.token(b"\0" * 32) is None
        assert len(server.notes) == 1


def test_chunks_that_break_off_are_an_error_of_the_server():
    with serve_bytes(HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\nabc") as address, pytest.raises(OSError):
        fetch(address, timeout=2, largest=100)


@contextlib.contextmanager
def serve_redirect(target):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.seen.append((self.command, self.path, self.headers.get("Authorization")))
            self.send_response(302 if self.path == "/" else 200)
            self.send_header("Location", target or "/there")
            self.end_headers()
            self.wfile.write(b"body")

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_get_follows_and_post_does_not():
    """What is posted, and a token in its headers, is for that server alone."""
    with serve_redirect(None) as (server, address):
        assert fetch(address, timeout=2, largest=100) == b"body"
        server.seen.clear()
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(address, timeout=2, largest=100, data=b"x", headers={"Authorization": "Bearer s3cret"})
        assert caught.value.code == 302
        assert [path for _, path, _ in server.seen] == ["/"]


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/list", "data:,list"])
def test_no_answer_leads_out_of_the_web(target):
    with serve_redirect(target) as (_, address), pytest.raises(urllib.error.URLError):
        fetch(address, timeout=2, largest=100)


def test_reading_stops_where_it_must():
    with serve_bytes(HEAD + b"\r\n" + b"x" * 5000) as address:
        assert fetch(address, timeout=2, largest=1000) == b"x" * 1000
        assert fetch(address, timeout=2, largest=0) == b""

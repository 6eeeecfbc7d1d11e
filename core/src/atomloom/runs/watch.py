"""A live page on localhost with the learning curves of runs.

The server answers nobody but this machine: it listens on 127.0.0.1, and refuses requests made under another host's
name (so that a web page elsewhere cannot read it through the browser). It only reads. The page loads nothing from
anywhere else.
"""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from atomloom.errors import AtomloomError, TargetError
from atomloom.runs import live, strictjson
from atomloom.runs.history import find, list_runs

HOST = "127.0.0.1"
_NAMES = ("127.0.0.1", "localhost")
_PAGE = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_JSON = "application/json; charset=utf-8"


class WatchServer(ThreadingHTTPServer):
    """Serves the page; `serve_forever` until it is shut down.

    Args:
        root: the folder that holds the runs.
        port: to listen on; 0 for any that is free.

    Raises:
        TargetError: when the port is taken.
    """

    daemon_threads = True

    def __init__(self, root: Path, port: int = 0) -> None:
        self.root = root
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise TargetError(
                f"serve the live page on port {port}", reason.lower(), "Choose another port, or 0 for any that is free"
            ) from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: WatchServer
    server_version = "atomloom"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        """Answer with a part of the page, or with data."""
        if self.headers.get("Host", "").partition(":")[0] not in _NAMES:  # the port may differ behind an SSH tunnel
            self._answer(HTTPStatus.FORBIDDEN, "text/plain", b"This page is for localhost only.\n")
            return
        url = urlsplit(self.path)
        if url.path in _PAGE:
            name, kind = _PAGE[url.path]
            self._answer(HTTPStatus.OK, kind, _page(name))
        elif url.path == "/runs.json":
            self._data(None)
        elif url.path == "/run.json":
            self._data(parse_qs(url.query).get("name", [""])[0])
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such page.\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal belongs to the person who watches."""

    def _data(self, name: str | None) -> None:
        """All runs, or the one of this name; a name is looked up among them, never taken for a path."""
        try:
            if name is None:
                found: object = live.overview(self.server.root)
            elif name in {one.name for one in list_runs(self.server.root)}:
                found = live.details(find(name, self.server.root))
            else:
                self._answer(HTTPStatus.NOT_FOUND, _JSON, strictjson.dumps({"error": "no such run"}).encode())
                return
            self._answer(HTTPStatus.OK, _JSON, strictjson.dumps(found).encode())
        except AtomloomError as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, _JSON, strictjson.dumps({"error": str(error)}).encode())

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        try:
            self.send_response(status)
            for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the browser went away


@cache
def _page(name: str) -> bytes:
    return (resources.files("atomloom.runs") / "page" / name).read_bytes()

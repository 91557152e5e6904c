"""Reading from one web address and nowhere else: GET, JSON, limits on time and size, no other host.

Errors name the host and what went wrong, never a query, a path below the base or anything of an answer, since
those may say who a patient is.
"""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from tools.chart.bundle import parse
from tools.errors import RecordError

TIMEOUT_SECONDS = 10.0
MAX_BYTES = 64 * 1024 * 1024  # of one answer
_CHUNK = 1 << 16
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Allowance:
    """What one call may take: seconds, and bytes of answers."""

    def __init__(self, seconds: float, size: int) -> None:
        self.size = size
        self._deadline = monotonic() + seconds

    @property
    def seconds(self) -> float:
        return self._deadline - monotonic()


class _Watch:
    """Cuts the connections of one request when its time is up. A socket's own timeout begins anew with every byte,
    so a server that drips its headers would hold the caller for hours.
    """

    def __init__(self, seconds: float) -> None:
        self._sockets: list[socket.socket] = []
        self._over = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for watched in self._sockets:
            watched.close()

    def connect(self, *args: Any, **options: Any) -> socket.socket:
        """Like :func:`socket.create_connection`."""
        connected = socket.create_connection(*args, **options)
        with self._lock:
            if self._over:
                connected.close()
                raise TimeoutError
            self._sockets.append(connected.dup())  # TLS takes the first one over
        return connected

    def _cut(self) -> None:
        with self._lock:
            self._over = True
            for watched in self._sockets:
                with suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)


Connect = Callable[..., socket.socket]


class _Connections(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """Connections that ``connect`` opens."""

    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self._connect = connect

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._made(http.client.HTTPConnection), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._made(http.client.HTTPSConnection), req)

    def _made(self, kind: Callable[..., http.client.HTTPConnection]) -> Any:
        def make(host: str, **options: Any) -> http.client.HTTPConnection:
            connection = kind(host, **options)
            connection._create_connection = self._connect  # type: ignore[attr-defined]
            return connection

        return make


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only below the base it was opened for."""

    max_redirections = 3

    def __init__(self, client: Client) -> None:
        self._client = client

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        self._client.check(newurl, "a redirect")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Client:
    """GET requests below one base URL.

    ``token`` is sent as a bearer token, over https or to this machine only. Raises :class:`RecordError` for a base
    that is no plain http(s) address.
    """

    def __init__(self, base: str, token: str | None = None, timeout: float = TIMEOUT_SECONDS) -> None:
        try:
            parts = urlsplit(base)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise RecordError("FHIR server: expected a base URL like https://host/fhir, without query or fragment")
        if parts.username is not None or parts.password is not None:
            raise RecordError("FHIR server: a base URL with a user name; give a token in MEDCALL_FHIR_TOKEN instead")
        self.host = parts.hostname if port is None else f"{parts.hostname}:{port}"
        if token is not None and parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise RecordError(f"FHIR server {self.host}: a token is sent over https only")
        self._origin = _origin(parts)
        self._path = parts.path.rstrip("/")
        self.base = f"{parts.scheme}://{parts.netloc}{self._path}"
        self._timeout = timeout
        self._headers = {"Accept": "application/fhir+json", "User-Agent": "medcall"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def check(self, url: str, what: str) -> str:
        """The absolute form of ``url``, or :class:`RecordError` when it leads away from the base."""
        try:
            absolute = urljoin(f"{self.base}/", url)
            parts = urlsplit(absolute)
            same = _origin(parts) == self._origin and parts.username is None
        except ValueError:
            same = False
        if not same or not f"{parts.path}/".startswith(f"{self._path}/"):
            raise RecordError(f"FHIR server {self.host}: {what} leads to another place than its base; not followed")
        return absolute

    def get(self, url: str, allowance: Allowance) -> tuple[int, Any]:
        """(status, JSON) of a URL below the base; JSON is None for an answer of status 400 or above.

        Takes what it reads from the allowance; the whole answer must be there in its time.
        """
        request = urllib.request.Request(self.check(url, "an address"), headers=self._headers, method="GET")
        late = RecordError(f"FHIR server {self.host}: no complete answer in time")
        if allowance.seconds <= 0:
            raise late
        try:
            with _Watch(allowance.seconds) as watch:
                timeout = min(self._timeout, allowance.seconds)
                with self._opener(watch.connect).open(request, timeout=timeout) as answer:
                    return int(answer.status), self._json(answer, allowance)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code, None
        except (OSError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            if isinstance(reason, TimeoutError) or allowance.seconds <= 0:
                raise late from None
            if isinstance(error, urllib.error.URLError):
                raise RecordError(f"FHIR server {self.host}: not reachable ({_reason(reason)})") from None
            raise RecordError(f"FHIR server {self.host}: the connection broke ({type(error).__name__})") from None

    def _opener(self, connect: Connect) -> urllib.request.OpenerDirector:
        opener = urllib.request.OpenerDirector()  # no file:, ftp: or data: handler
        for handler in (
            urllib.request.ProxyHandler(),
            _Connections(connect),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _SameHost(self),
        ):
            opener.add_handler(handler)
        return opener

    def _json(self, answer: Any, allowance: Allowance) -> Any:
        data = bytearray()
        while chunk := answer.read1(_CHUNK):
            data += chunk
            allowance.size -= len(chunk)
            if len(data) > MAX_BYTES:
                raise RecordError(f"FHIR server {self.host}: an answer of more than {MAX_BYTES >> 20} MiB")
            if allowance.size < 0:
                raise RecordError(f"FHIR server {self.host}: answers of more than a call may take in all")
            if allowance.seconds <= 0:
                raise TimeoutError
        if allowance.seconds <= 0:
            raise TimeoutError
        if answer.length:  # what Content-Length promised and did not come
            raise RecordError(f"FHIR server {self.host}: the connection broke within an answer")
        try:
            return parse(data.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise RecordError(f"FHIR server {self.host}: an answer that is not JSON") from None


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _reason(reason: object) -> str:
    strerror = reason.strerror if isinstance(reason, OSError) else None
    return strerror or type(reason).__name__

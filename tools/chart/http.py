"""Reading from one web address and nowhere else: GET, JSON, limits on time and size, no other host.

Errors name the host and what went wrong, never a query, a path below the base or anything of an answer, since
those may say who a patient is.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from tools.chart.bundle import parse
from tools.errors import RecordError

TIMEOUT_SECONDS = 10.0
MAX_BYTES = 64 * 1024 * 1024
_CHUNK = 1 << 16
_LOCAL = ("localhost", "127.0.0.1", "::1")


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
        self._opener = urllib.request.OpenerDirector()  # no file:, ftp: or data: handler
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _SameHost(self),
        ):
            self._opener.add_handler(handler)

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

    def get(self, url: str, deadline: float) -> tuple[int, Any]:
        """(status, JSON) of a URL below the base; JSON is None for an answer of status 400 or above.

        ``deadline`` is the moment of :func:`time.monotonic` by which the whole answer must be there.
        """
        request = urllib.request.Request(self.check(url, "an address"), headers=self._headers, method="GET")
        try:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError
            with self._opener.open(request, timeout=min(self._timeout, left)) as answer:
                return int(answer.status), self._json(answer, deadline)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code, None
        except TimeoutError:
            raise RecordError(f"FHIR server {self.host}: no complete answer in time") from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise RecordError(f"FHIR server {self.host}: no complete answer in time") from None
            raise RecordError(f"FHIR server {self.host}: not reachable ({_reason(error.reason)})") from None
        except (OSError, http.client.HTTPException) as error:
            raise RecordError(f"FHIR server {self.host}: the connection broke ({type(error).__name__})") from None

    def _json(self, answer: Any, deadline: float) -> Any:
        data = bytearray()
        while chunk := answer.read1(_CHUNK):
            data += chunk
            if len(data) > MAX_BYTES:
                raise RecordError(f"FHIR server {self.host}: an answer of more than {MAX_BYTES >> 20} MiB")
            if monotonic() > deadline:
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

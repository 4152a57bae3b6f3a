"""One action over HTTP: POST {server}ehpc/{Action} with the server's token."""

from __future__ import annotations

import ipaddress
import warnings
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr
from requests.auth import AuthBase
from urllib3.exceptions import InsecureRequestWarning, MaxRetryError, NewConnectionError

from ehpc_jupyter.errors import AgentError, EhpcError, Forbidden, ServiceUnavailable, from_body

#: A connection to a server on this machine opens in milliseconds or not at all.
CONNECT_TIMEOUT_S = 5.0
_GATEWAY_STATUSES = {502, 504}
_LOOPBACK_WARNING = r"Unverified HTTPS request is being made to host '(localhost|127\.|::1|\[::1)"


class LostAnswer(ServiceUnavailable):
    """The request may have arrived, its answer did not: nobody knows here whether it was carried out."""


class ExtensionMissing(ServiceUnavailable):
    """The server is there, our extension in it is not: the request was not carried out."""


class _Token(AuthBase):
    """Puts the token into the header; keeps it out of every traceback and repr."""

    def __init__(self, token: str) -> None:
        self._token = SecretStr(token)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"token {self._token.get_secret_value()}"
        return request


class HttpBackend:
    """A Jupyter server with the extension.

    Args:
        url: the server's address, base_url included, with a slash at the end.
        token: its token.
        may_lack: whether a server without the extension raises ``ExtensionMissing`` (the caller knows another way)
            or a plain error that says how to enable it.
    """

    def __init__(self, url: str, token: str, *, may_lack: bool = True) -> None:
        self._url = url
        self._auth = _Token(token)
        self._may_lack = may_lack
        self._near = _is_loopback(urlsplit(url).hostname or "")
        if self._near and url.startswith("https:"):
            # Not catch_warnings: it is not safe with threads, and forms ask from threads.
            warnings.filterwarnings("ignore", message=_LOOPBACK_WARNING, category=InsecureRequestWarning)

    def __repr__(self) -> str:
        return f"HttpBackend({self._url!r})"

    def describe(self) -> str:
        """The server's address."""
        return self._url

    def call(self, action: str, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """One action; see ``Backend``. Sent once, never again from here."""
        response = self._post(action, body, timeout_s)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status_code < 300 and isinstance(answer, dict):
            return answer
        raise self._error(action, response, answer if isinstance(answer, dict) else {})

    def _post(self, action: str, body: dict[str, Any], timeout_s: float) -> requests.Response:
        # A session for each call: sessions are not made for several threads, and a kept connection that the server
        # closed meanwhile would look like a lost answer.
        with requests.Session() as session:
            if self._near:
                # A proxy has no way to this machine's own ports, and a certificate for localhost proves nothing
                # that the address itself (written by our parent process, readable by this user) does not.
                session.trust_env = False
                session.verify = False
            try:
                return session.post(
                    f"{self._url}ehpc/{action}",
                    json=body,
                    auth=self._auth,
                    timeout=(CONNECT_TIMEOUT_S, timeout_s),
                    allow_redirects=False,
                )
            except requests.exceptions.SSLError as error:
                raise ServiceUnavailable(f"{self._url} has no certificate that can be trusted ({error})") from None
            except requests.exceptions.ConnectTimeout:
                raise self._unreachable() from None
            except requests.exceptions.ReadTimeout:
                raise LostAnswer(f"{self._url} did not answer {action} within {timeout_s:g} s") from None
            except requests.exceptions.ConnectionError as error:
                if _never_connected(error):
                    raise self._unreachable() from None
                raise LostAnswer(f"{self._url} closed the connection before it answered {action}") from None
            except requests.exceptions.RequestException as error:
                raise LostAnswer(f"the answer of {self._url} to {action} broke off ({type(error).__name__})") from None

    def _unreachable(self) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"no connection to the Jupyter server at {self._url}; is it still running? "
            "Start it again and restart this kernel"
        )

    def _error(self, action: str, response: requests.Response, answer: dict[str, Any]) -> EhpcError:
        status = response.status_code
        if "Code" in answer:
            return from_body(answer, status, retry_after_ms=response.headers.get("x-acs-retry-after", ""))
        if status == 404:
            return self._without_extension()
        if status in {301, 302, 303, 307, 308, 401, 403}:
            return Forbidden(f"the Jupyter server at {self._url} did not accept this kernel's token (HTTP {status})")
        if status in _GATEWAY_STATUSES:
            return LostAnswer(f"a proxy before {self._url} gave up waiting for the answer to {action} (HTTP {status})")
        if status == 503:
            return ServiceUnavailable(
                f"the Jupyter server at {self._url} is not ready (HTTP 503); try again in a minute"
            )
        return AgentError(f"{self._url} answered {action} with HTTP {status} and no words that the API knows")

    def _without_extension(self) -> ServiceUnavailable:
        words = (
            f"the Jupyter server at {self._url} has no ehpc_jupyter extension; "
            "run 'jupyter server extension enable ehpc_jupyter' where it is installed and restart that server"
        )
        return ExtensionMissing(words) if self._may_lack else ServiceUnavailable(words)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    """Whether not even a connection was made, so that nothing can have been sent."""
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)

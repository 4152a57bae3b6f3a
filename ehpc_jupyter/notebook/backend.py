"""Where a client's questions go: to the Jupyter server that started this kernel, or to a service in the kernel itself.

Both answer the same actions with the same wire names and raise the same errors; ``Client`` knows no difference.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, urlsplit, urlunsplit

from ehpc_jupyter.notebook.http_backend import ExtensionMissing, HttpBackend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ehpc_jupyter.jobs.service import JobService

#: A server that listens on all addresses writes one of these, which is no address to go to.
_EVERYWHERE = {"", "0.0.0.0", "::", "*"}  # noqa: S104 - read, not bound


class Backend(Protocol):
    """Answers API actions."""

    def call(self, action: str, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """One action.

        Args:
            action: the API's name for it, for instance ``CreateJob``.
            body: the request, wire names.
            timeout_s: how long the answer may take, seconds.

        Raises:
            EhpcError: the action failed, or nobody answered.
        """
        ...

    def describe(self) -> str:
        """Where the answers come from, in a few words, without secrets."""
        ...


class KernelBackend:
    """The service inside this kernel: IPython in a terminal, VS Code, nbconvert, a server without the extension."""

    def __init__(self, service: JobService | None = None) -> None:
        self._service = service
        self._lock = threading.Lock()

    def call(self, action: str, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """One action; the service has time-outs of its own."""
        with self._lock:
            if self._service is None:
                from ehpc_jupyter.jobs.service import JobService

                # What a server writes into its log would stand between a cell's outputs here.
                logging.getLogger("ehpc_jupyter").addHandler(logging.NullHandler())
                self._service = JobService.from_config()
        return self._service.call(action, body)

    def describe(self) -> str:
        """``this kernel``."""
        return "this kernel"


class FoundBackend:
    """The kernel's own Jupyter server if there is one that has the extension, else the kernel itself.

    It is decided at the first call. A server that is there but does not answer is an error and no reason to switch: a
    second service would log in again and know nothing of the first one's jobs.

    Args:
        environ: the kernel's environment; ``os.environ`` if None.
        kernel: what answers where there is no such server; a ``KernelBackend`` if None.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, kernel: Backend | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._kernel = kernel or KernelBackend()
        self._lock = threading.Lock()
        self._chosen: Backend | None = None

    def call(self, action: str, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """One action."""
        try:
            return self._backend().call(action, body, timeout_s)
        except ExtensionMissing:  # nothing was done there, so asking elsewhere is safe
            with self._lock:
                self._chosen = self._kernel
            return self._chosen.call(action, body, timeout_s)

    def describe(self) -> str:
        """That of the one it found."""
        return self._backend().describe()

    def _backend(self) -> Backend:
        with self._lock:
            if self._chosen is None:
                found = find_server(self._environ)
                self._chosen = HttpBackend(*found) if found else self._kernel
            return self._chosen


@lru_cache(maxsize=1)
def default_backend() -> Backend:
    """The one that all clients of this kernel share."""
    return FoundBackend()


def find_server(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The address and token of the Jupyter server that started this kernel.

    Args:
        environ: the kernel's environment.

    Returns:
        None where there is none: IPython in a terminal, nbclient, a kernel on another machine.
    """
    hub_token = environ.get("JUPYTERHUB_API_TOKEN", "")
    info = _server_record(environ.get("JPY_PARENT_PID", ""))
    if info is not None:
        # A hub's single-user server has an empty token of its own and takes the hub's.
        return _reachable(str(info["url"])), str(info.get("token") or hub_token)
    if hub_token and environ.get("JUPYTERHUB_SERVICE_URL"):
        return _reachable(environ["JUPYTERHUB_SERVICE_URL"]), hub_token
    return None


def _server_record(pid: str) -> dict[str, Any] | None:
    """What the server with that pid wrote about itself.

    ``jupyter_server.serverapp.list_running_servers()`` reads the same files, but importing it takes 1.6 s.
    """
    if not pid.isdecimal():
        return None
    from jupyter_core.paths import jupyter_runtime_dir

    try:
        info = json.loads((Path(jupyter_runtime_dir()) / f"jpserver-{pid}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    usable = isinstance(info, dict) and str(info.get("pid")) == pid and str(info.get("url", "")).startswith("http")
    return info if usable and not info.get("sock") else None


def _reachable(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in _EVERYWHERE:
        host = "127.0.0.1"
    host = f"[{host}]" if ":" in host else host
    path = parts.path if parts.path.endswith("/") else f"{parts.path}/"
    return urlunsplit((parts.scheme, f"{host}:{parts.port}" if parts.port else host, path, "", ""))


def server_at(url: str, token: str | None) -> HttpBackend:
    """A server that the user names.

    Args:
        url: as Jupyter prints it; a ``?token=`` in it is taken.
        token: the server's token; that of the address if None.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("server is the address that Jupyter prints, for instance http://localhost:8888/?token=…")
    inside = parse_qs(parts.query).get("token", [""])[0]
    return HttpBackend(_reachable(url).removesuffix("lab/").removesuffix("tree/"), token or inside, may_lack=False)

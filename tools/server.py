"""A Jupyter server of one's own, for the demo, the benchmarks and the tests of the browser."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from pathlib import Path

START_LIMIT_S = 60


class Server:
    """A Jupyter server as a child process; ended by its process id.

    Args:
        folder: what it serves.
        data: where it keeps its job database and runtime files.
        config: further configuration, section → name → value.
        module: ``jupyter_server`` or ``jupyterlab``.
        environment: further variables of its environment.
        port: a free one if None.
        token: a new one if None.
    """

    def __init__(
        self,
        folder: Path,
        data: Path,
        *,
        config: dict[str, dict[str, Any]] | None = None,
        module: str = "jupyter_server",
        environment: dict[str, str] | None = None,
        port: int | None = None,
        token: str | None = None,
    ) -> None:
        self.token = token or secrets.token_hex(24)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.runtime = data / "runtime"
        self.log = data / "server.log"
        own = {"JUPYTER_TOKEN": self.token, "JUPYTER_RUNTIME_DIR": str(self.runtime)}
        options = {
            "ip": "127.0.0.1",
            "port": self.port,
            "port_retries": 0,
            "root_dir": str(folder),
            "allow_root": True,
            "open_browser": False,
        }
        sections: dict[str, dict[str, Any]] = {"ServerApp": options, "EhpcExtension": {"data_dir": str(data / "ehpc")}}
        for section, values in (config or {}).items():
            sections[section] = sections.get(section, {}) | values
        data.mkdir(parents=True, exist_ok=True)
        file = data / "jupyter_config.json"
        file.write_text(json.dumps(sections))
        argv = [sys.executable, "-m", module, f"--config={file}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                argv, env=os.environ | own | (environment or {}), stdout=log, stderr=subprocess.STDOUT
            )
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"token {self.token}"

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.call("ListClusters")
                return
            except requests.ConnectionError:
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"the server did not start; it said:\n{self.log.read_text()[-3000:]}")

    def call(self, action: str, **fields: Any) -> dict[str, Any]:
        """An action of the extension."""
        answer = self.session.post(f"{self.url}ehpc/{action}", json=fields, timeout=30)
        if not answer.ok:
            raise RuntimeError(f"{action}: {answer.text}")
        body: dict[str, Any] = answer.json()
        return body

    def start_kernel(self) -> str:
        """A kernel of the server's; returns its connection file."""
        answer = self.session.post(f"{self.url}api/kernels", json={"name": "python3"}, timeout=60)
        answer.raise_for_status()
        return str(self.runtime / f"kernel-{answer.json()['id']}.json")

    def stop(self) -> None:
        """TERM, then KILL."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody has now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port

"""A single-user server as JupyterHub spawns it, JupyterHub's own; the Hub itself is the one question that such a server asks."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tools.server import Server, free_port

#: Tokens of the Hub and whose they are: what the server itself has, one that jane made on the Hub's page, one of somebody else.
TOKENS = {"server-canary-b7d1e0": "jane", "jane-canary-40cc2f": "jane", "bob-canary-93ab11": "bob"}
SERVERS, JANES, BOBS = TOKENS


class Hub(BaseHTTPRequestHandler):
    """``GET /hub/api/user`` with a token: who that is and what he may, as in the Hub's REST API."""

    def do_GET(self):
        user = TOKENS.get((self.headers["Authorization"] or "").rpartition(" ")[2])
        if self.path.rstrip("/") == "/hub/api":
            self._answer(200, {"version": "5.0.0"})
        elif self.path == "/hub/api/user" and user:
            scopes = [f"access:servers!server={user}/", f"read:users!user={user}"]
            self._answer(200, {"kind": "user", "name": user, "admin": False, "groups": [], "scopes": scopes})
        else:
            self._answer(403, {"status": 403, "message": "Missing or invalid credentials."})

    def do_POST(self):
        """That the server is in use."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, {})

    def _answer(self, status, body):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-JupyterHub-Version", "5.0.0")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


class SingleUser(Server):
    """jane's server; ``token`` is the one she made."""

    def __init__(self, root, hub_port, config):
        port = free_port()
        home = root / "home"
        home.mkdir()
        environment = {
            "HOME": str(home),
            "EHPC_LOCALQ_HOME": str(home / "localq"),
            "EHPC_LOCALQ_IDLE_S": "3",
            "JUPYTER_CONFIG_DIR": str(root / "config"),
            "JUPYTER_DATA_DIR": str(root / "share"),
            "JUPYTERHUB_ACTIVITY_URL": f"http://127.0.0.1:{hub_port}/hub/api/users/jane/activity",
            "JUPYTERHUB_API_TOKEN": SERVERS,
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub_port}/hub/api",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-jane",
            "JUPYTERHUB_HOST": "",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!server=jane/", "access:servers!user=jane"]',
            "JUPYTERHUB_OAUTH_CALLBACK_URL": "/user/jane/oauth_callback",
            "JUPYTERHUB_SERVER_NAME": "",
            "JUPYTERHUB_SERVICE_PREFIX": "/user/jane/",
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}/user/jane/",
            "JUPYTERHUB_USER": "jane",
        }
        module = "jupyterhub.singleuser"
        super().__init__(
            root, root / "data", config=config, module=module, environment=environment, port=port, token=JANES
        )
        self.home = home
        self.url = f"http://127.0.0.1:{port}/user/jane/"


@contextmanager
def running(root, options):
    """The two, until the block ends."""
    hub = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        config = {"EhpcExtension": options, "ServerApp": {"log_level": "DEBUG"}}
        server = SingleUser(root, hub.server_port, config)
        try:
            server.wait()
            yield server
        finally:
            server.stop()
    finally:
        hub.shutdown()
        thread.join()
        hub.server_close()

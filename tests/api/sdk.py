"""The official SDK, the ways that docs/api.md shows."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from alibabacloud_ehpc20240730.client import Client
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

VERSION = "2024-07-30"


class PathClient(Client):
    """The SDK's client for an API below a path."""

    def __init__(self, config, path):
        super().__init__(config)
        self._path = path

    def call_api(self, params, request, runtime):
        params.pathname = self._path
        return super().call_api(params, request, runtime)

    async def call_api_async(self, params, request, runtime):
        params.pathname = self._path
        return await super().call_api_async(params, request, runtime)


def config(server, *, bearer=False, key="jupyter", secret=None, **more):
    """Settings of the SDK for a server."""
    own = (
        {"bearer_token": server.token}
        if bearer
        else {"access_key_id": key, "access_key_secret": secret or server.token}
    )
    return Config(endpoint=urlsplit(server.url).netloc, protocol="http", **own, **more)


class Sync:
    """Calls an action by its SDK name."""

    def __init__(self, client):
        self.client = client

    def __call__(self, action, request):
        return getattr(self.client, action)(request).body

    def other(self, action, **query):
        """An action that the SDK has no method for: its generic call."""
        return self.client.call_api(_params(action), OpenApiRequest(query=query), RuntimeOptions())["body"]


class Async(Sync):
    """The same through the SDK's asynchronous methods."""

    def __call__(self, action, request):
        return asyncio.run(getattr(self.client, f"{action}_async")(request)).body

    def other(self, action, **query):
        call = self.client.call_api_async(_params(action), OpenApiRequest(query=query), RuntimeOptions())
        return asyncio.run(call)["body"]


def _params(action):
    return Params(
        action=action,
        version=VERSION,
        protocol="HTTPS",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )


#: How a program may call the server; the server of the tests has its root endpoint open.
WAYS = {
    "path": lambda server: Sync(PathClient(config(server), "/ehpc")),
    "path, async": lambda server: Async(PathClient(config(server), "/ehpc")),
    "path, bearer": lambda server: Sync(PathClient(config(server, bearer=True), "/ehpc")),
    "root": lambda server: Sync(Client(config(server))),
    "root, async": lambda server: Async(Client(config(server))),
    "root, bearer": lambda server: Sync(Client(config(server, bearer=True))),
    "root, HMAC-SHA1": lambda server: Sync(Client(config(server, signature_algorithm="v2"))),
    "root, HMAC-SHA1, async": lambda server: Async(Client(config(server, signature_algorithm="v2"))),
    "root, HMAC-SHA1, bearer": lambda server: Sync(Client(config(server, bearer=True, signature_algorithm="v2"))),
    "path, own key": lambda server: Sync(PathClient(config(server, key="alice", secret=ALICE), "/ehpc")),
}
ALICE = "alice-canary-key-c0ffee"
PASSWORD = "cluster-canary'\\\"x"

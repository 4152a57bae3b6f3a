"""A Jupyter server with the extension, on the embedded queue."""

from __future__ import annotations

import json

import pytest

# Imported and not declared as a plugin: its automatic fixtures are for this folder only.
from pytest_jupyter.jupyter_server import *  # noqa: F403


@pytest.fixture
def jp_server_config(tmp_path):
    return {
        "ServerApp": {"jpserver_extensions": {"ehpc_jupyter": True}},
        "EhpcExtension": {"data_dir": str(tmp_path / "ehpc"), "local_poll_interval_s": 0.2, "threads": 4},
    }


@pytest.fixture
def call(jp_fetch):
    """Call an action; gives status and body, whatever they are."""

    async def call(action, body=None, *, method="POST", **more):
        from tornado.httpclient import HTTPClientError

        text = body if isinstance(body, (str, bytes)) else json.dumps(body or {})
        try:
            answer = await jp_fetch(
                "ehpc", *action.split("/"), method=method, body=text if method == "POST" else None, **more
            )
        except HTTPClientError as error:
            answer = error.response
        return answer.code, json.loads(answer.body)

    return call

"""The API of a single-user server behind JupyterHub, below ``/user/jane/ehpc``, with the Hub's tokens."""

from __future__ import annotations

import json
import subprocess

import pytest
from alibabacloud_ehpc20240730 import models
from alibabacloud_tea_openapi import exceptions

from tests.api.hub import BOBS, JANES, SERVERS, running
from tests.api.sdk import ALICE, Async, PathClient, Sync, config
from tests.api.test_sdk import Program, life, look_around, stop_rerun_delete

PATH = "/user/jane/ehpc"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    options = {"access_keys": {"alice": ALICE}, "local_poll_interval_s": 0.2}
    with running(tmp_path_factory.mktemp("hub"), options) as server:
        yield server


#: With a token that jane made; with the server's own, which a kernel finds in JUPYTERHUB_API_TOKEN.
WAYS = {
    "bearer": lambda hub: Sync(PathClient(config(hub, bearer=True), PATH)),
    "bearer, async": lambda hub: Async(PathClient(config(hub, bearer=True), PATH)),
    "signed": lambda hub: Sync(PathClient(config(hub, secret=SERVERS), PATH)),
    "own key": lambda hub: Sync(PathClient(config(hub, key="alice", secret=ALICE), PATH)),
    "signed, async": lambda hub: Async(PathClient(config(hub, secret=SERVERS), PATH)),
}


@pytest.mark.parametrize("name", WAYS)
def test_the_sdk(hub, name):
    program = Program(WAYS[name](hub), "local")
    life(program)
    look_around(program, "root")
    stop_rerun_delete(program)


def curl(hub, token, path="ListClusters", *more):
    argv = ["curl", "-s", f"{hub.url}ehpc/{path}", "-H", f"Authorization: token {token}", *more]
    return json.loads(subprocess.run(argv, capture_output=True, timeout=30, check=True).stdout)


def test_curl(hub):
    for token in (JANES, SERVERS):
        assert curl(hub, token, "ListClusters", "-d", "{}")["TotalCount"] == 1
    assert curl(hub, JANES, "openapi.json")["servers"] == [{"url": f"{hub.url}ehpc"}]
    for token in (BOBS, "nobody's"):
        refusal = curl(hub, token, "ListClusters", "-d", "{}")
        assert (refusal["Code"], set(refusal)) == ("Forbidden", {"RequestId", "HostId", "Code", "Message", "Recommend"})


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"bearer": True, "token": BOBS}, "Forbidden"),
        ({"key": "jupyter", "secret": JANES}, "SignatureDoesNotMatch"),
        ({"key": "alice", "secret": SERVERS}, "SignatureDoesNotMatch"),
    ],
)
def test_who_is_refused(hub, settings, code):
    made = config(hub, **{name: value for name, value in settings.items() if name != "token"})
    made.bearer_token = settings.get("token", made.bearer_token)
    with pytest.raises(exceptions.AlibabaCloudException) as caught:
        Sync(PathClient(made, PATH))("list_clusters", models.ListClustersRequest())
    assert (caught.value.status_code, caught.value.code) == (403, code)


def test_no_token_of_the_hub_is_in_the_log(hub):
    for token in (SERVERS, JANES, BOBS, ALICE):
        assert token not in hub.log.read_text()

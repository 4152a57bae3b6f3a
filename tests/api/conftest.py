"""Running servers, driven from outside."""

from __future__ import annotations

import pytest

from tests.api.fake import FAULTS
from tests.api.sdk import ALICE, PASSWORD, WAYS
from tools.server import Server, free_port


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    """The SDK takes proxies from the environment."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def start(root, clusters, **more):
    """A server of one's own, logging all it has to say."""
    home = root / "home"
    home.mkdir()
    environment = {
        "HOME": str(home),
        "EHPC_LOCALQ_HOME": str(home / "localq"),
        "EHPC_LOCALQ_IDLE_S": "3",
        "JUPYTER_CONFIG_DIR": str(root / "config"),
        "JUPYTER_DATA_DIR": str(root / "share"),
    }
    options = {
        "clusters": clusters,
        "root_endpoint": True,
        "access_keys": {"alice": ALICE},
        "local_poll_interval_s": 0.2,
        **more.pop("options", {}),
    }
    config = {"EhpcExtension": options, "ServerApp": {"log_level": "DEBUG", **more.pop("server", {})}}
    made = Server(root, root / "data", config=config, environment=environment, **more)
    made.home = home
    made.wait()
    return made


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """On the embedded queue; ``down`` answers nobody, ``off`` is disabled, ``guarded`` denies."""
    clusters = {
        "down": {
            "host": "127.0.0.1",
            "port": free_port(),
            "user": "nobody",
            "connect_timeout_s": 2,
            "password": PASSWORD,
        },
        "off": {"host": "127.0.0.1", "enabled": False},
        "guarded": {"host": "127.0.0.1", "enabled": False},
    }
    options = {"policy": {"guarded": {"ehpc:CreateJob": "deny"}, "ehpc:DeleteJobs": "allow"}, "max_query": 20_000}
    made = start(tmp_path_factory.mktemp("api"), clusters, options=options)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def slurm_server(tmp_path_factory, lab):
    """With the real Slurm behind SSH as ``slurm``."""
    made = start(tmp_path_factory.mktemp("api-slurm"), {"slurm": lab.profile()})
    yield made
    made.stop()


@pytest.fixture(scope="session")
def fake_server(tmp_path_factory):
    """Over clusters in memory: ``fake`` works, one named by each error's code fails so."""
    clusters = {code.replace(".", "-"): {"description": code, "scheduler": "slurm"} for code in FAULTS}
    extensions = {"jpserver_extensions": {"ehpc_jupyter": False, "tests.api.fake": True}}
    made = start(tmp_path_factory.mktemp("api-fake"), {"fake": {"scheduler": "slurm"}, **clusters}, server=extensions)
    yield made
    made.stop()


@pytest.fixture(params=WAYS)
def way(request, server):
    """The SDK in each of the ways."""
    return WAYS[request.param](server)

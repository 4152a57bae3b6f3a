"""What the queue takes from its surroundings: the machine, the environment, its own folder."""

import os

import pytest

from ehpc_jupyter.localq import Refused, environment, settings
from ehpc_jupyter.localq.daemon import daemon_environment
from ehpc_jupyter.localq.launch import expand
from ehpc_jupyter.localq.machine import machine


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in [name for name in os.environ if name.startswith(settings.PREFIX)]:
        monkeypatch.delenv(name)


def test_the_machine_as_it_is():
    found = machine()
    assert 1 <= found.cores <= os.cpu_count()
    assert 64 < found.memory_mb < 100_000_000


@pytest.mark.parametrize(
    ("text", "gpus"),
    [("0", ()), ("2", ("0", "1")), ("2,3", ("2", "3")), ("GPU-5c0e", ("GPU-5c0e",)), ("3,", ("3",))],
)
def test_what_is_set_goes_before_what_is_found(monkeypatch, text, gpus):
    monkeypatch.setenv("EHPC_LOCALQ_CORES", "3")
    monkeypatch.setenv("EHPC_LOCALQ_MEMORY_MB", "500")
    monkeypatch.setenv("EHPC_LOCALQ_GPUS", text)
    assert machine() == (3, 500, gpus)


@pytest.mark.parametrize("text", ["two", "-1", "nan", "inf"])
def test_a_wrong_setting_is_named(monkeypatch, text):
    monkeypatch.setenv("EHPC_LOCALQ_CORES", text)
    with pytest.raises(Refused, match=f"EHPC_LOCALQ_CORES is '{text}'"):
        machine()


def test_where_the_queue_lives(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert settings.home() == tmp_path / ".local/state/ehpc-jupyter/localq"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # the XDG specification: to be ignored
    assert settings.home() == tmp_path / ".local/state/ehpc-jupyter/localq"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert settings.home() == tmp_path / "state/ehpc-jupyter/localq"
    monkeypatch.setenv("EHPC_LOCALQ_HOME", str(tmp_path / "x"))
    assert settings.home() == tmp_path / "x"


MOUNTS = """/dev/vda / ext4 rw 0 0
nas:/home /home nfs4 rw 0 0
/dev/vdb /home/local\\040disk xfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "network"),
    [("/root/x", False), ("/home", True), ("/home/u/.local", True), ("/homely", False), ("/home/local disk/u", False)],
)
def test_a_home_on_the_network_is_known_by_its_mount(folder, network):
    assert settings.is_network(folder, MOUNTS) is network


DROPPED = [
    "JPY_API_TOKEN",
    "JPY_PARENT_PID",
    "JPY_SESSION_NAME",
    "JUPYTER_TOKEN",
    "JUPYTERHUB_API_TOKEN",
    "JUPYTERHUB_COOKIE_SECRET",
    "JUPYTERHUB_CRYPT_KEY",
    "CONFIGPROXY_AUTH_TOKEN",
    "jupyter_password",
    "EHPC_ARRAY_TASK_ID",
]


def test_secrets_of_jupyter_do_not_pass():
    given = {name.encode(): b"x" for name in DROPPED}
    given |= {
        b"MPLBACKEND": b"module://matplotlib_inline.backend_inline",
        b"JUPYTERHUB_USER": b"me",
        b"HF_TOKEN": b"hf",
    }
    given |= {b"BYTES": b"\xff=\n", b"EMPTY": b""}
    assert environment.kept(given) == b"JUPYTERHUB_USER=me\0HF_TOKEN=hf\0BYTES=\xff=\n\0EMPTY="
    assert environment.kept({b"MPLBACKEND": b"agg"}) == b"MPLBACKEND=agg"


def test_a_daemon_keeps_no_secrets_at_all(tmp_path):
    given = {"PATH": "/bin", "LC_ALL": "C", "HF_TOKEN": "hf", "EHPC_LOCALQ_CORES": "1", "EHPC_LOCALQ_HOME": "elsewhere"}
    assert daemon_environment(given, tmp_path) == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "EHPC_LOCALQ_CORES": "1",
        "EHPC_LOCALQ_HOME": str(tmp_path),
    }


@pytest.mark.parametrize(
    ("path", "task", "file"),
    [
        ("/o/%j.out", None, "/o/12.out"),
        ("/o/%A_%a", 3, "/o/12_3"),
        ("/o/%a", None, "/o/"),
        ("/o/100%%j%%", 3, "/o/100%j%"),
        ("/o/%x%", 3, "/o/%x%"),
    ],
)
def test_output_paths(path, task, file):
    assert expand(path, 12, task) == file

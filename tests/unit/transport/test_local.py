"""This machine as a cluster."""

from __future__ import annotations

import pytest

from ehpc_jupyter.transport.base import LostAnswer, NoSuchFile, Unreachable
from ehpc_jupyter.transport.local import LocalTransport


def test_a_command_inherits_no_secret_of_jupyter(monkeypatch):
    monkeypatch.setenv("JUPYTER_TOKEN", "canary")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "canary")
    monkeypatch.setenv("JPY_API_TOKEN", "canary")
    monkeypatch.setenv("MINE", "kept")
    done = LocalTransport().run(("env",))
    assert b"canary" not in done.stdout
    assert b"MINE=kept" in done.stdout


def test_a_command_that_hangs_is_ended_and_may_have_run():
    with pytest.raises(LostAnswer, match=r"sleep did not answer within 0\.2 s"):
        LocalTransport().run(("sleep", "30"), timeout_s=0.2)


def test_a_command_that_is_not_there_did_not_run():
    with pytest.raises(Unreachable, match="no-such-command"):
        LocalTransport().run(("no-such-command",))


def test_files(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    transport = LocalTransport()
    assert transport.read(str(tmp_path / "a"), 3, 4) == (b"3456", 10)
    assert transport.read(str(tmp_path / "a"), 30, 4) == (b"", 10)
    assert [info.name for info in transport.list(str(tmp_path))] == ["a"]
    with pytest.raises(NoSuchFile, match=r"(?i)no such file"):
        transport.read(str(tmp_path / "b"))

"""What a connection that drops at the worst moment does to an answer; on channels in memory."""

from __future__ import annotations

import threading

import pytest

from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.transport.base import LostAnswer, Unreachable
from ehpc_jupyter.transport.ssh import SSHTransport


class Channel:
    """As paramiko's, saying what a test wants."""

    def __init__(self, out, exit_status, *, close_fails=False):
        self.parts = {"out": [out], "err": [b"\x1e\x1f\n"]}
        self.exit_status = exit_status
        self.close_fails = close_fails
        self.status_event = threading.Event()
        self.status_event.set()

    def settimeout(self, seconds):
        pass

    exec_command = sendall = settimeout

    def shutdown_write(self):
        pass

    def recv(self, size):
        return self.parts["out"].pop() if self.parts["out"] else b""

    def recv_stderr(self, size):
        return self.parts["err"].pop() if self.parts["err"] else b""

    def get_transport(self):
        return self

    def is_active(self):
        return True

    def close(self):
        if self.close_fails:
            raise EOFError


def answer(channel, monkeypatch):
    way = SSHTransport(ClusterProfile(name="x", host="x", user="me"))
    monkeypatch.setattr(way, "_channel", lambda deadline: channel)
    return way.run(("true",))


def test_an_answer_is_kept_when_the_channel_cannot_be_closed(monkeypatch):
    done = answer(Channel(b"\x1e\x1f\nsaid", 0, close_fails=True), monkeypatch)
    assert (done.exit_code, done.stdout) == (0, b"said")


def test_a_lost_answer_is_told_when_the_channel_cannot_be_closed(monkeypatch):
    with pytest.raises(LostAnswer):
        answer(Channel(b"", -1, close_fails=True), monkeypatch)


def test_a_channel_that_ends_before_its_connection_is_a_lost_answer(monkeypatch):
    """paramiko ends the channels first; the command may have run, so nobody may say that nothing was sent."""
    with pytest.raises(LostAnswer):
        answer(Channel(b"", -1), monkeypatch)


def test_a_login_shell_that_runs_nothing_is_told_apart(monkeypatch):
    with pytest.raises(Unreachable, match="not available"):
        answer(Channel(b"This account is not available.", 1), monkeypatch)


def test_a_command_that_a_signal_ended_has_no_exit_code(monkeypatch):
    assert answer(Channel(b"\x1e\x1f\npart", -1), monkeypatch).exit_code == -1

"""Breaks what stands between a user and a cluster, at moments that a seeded generator chooses, while jobs are submitted.

``Trouble`` is the hand that breaks things; ``Crowd`` are the users, who ask again with the same token until they know.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.notebook.http_backend import HttpBackend
from tests.cluster.wire import Wire
from tests.conftest import wait_for
from tools.server import Server

SFTP = "/usr/lib/openssh/sftp-server"
#: A busy login node: each sbatch waits a little before and after, so that more can break meanwhile.
SBATCH = """#!/bin/bash
sleep 0.$((RANDOM % 3))$((RANDOM % 10))
/usr/bin/sbatch "$@"
code=$?
sleep 0.$((RANDOM % 3))$((RANDOM % 10))
exit $code
"""
LOGIN = """#!/bin/sh
case $SSH_ORIGINAL_COMMAND in {sftp}) exec {sftp} ;; esac
PATH={place}:$PATH
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""


class Sshd:
    """An sshd of the test's own before the lab's Slurm, that may be ended and started again."""

    def __init__(self, lab, place):
        self.place = place
        place.mkdir(mode=0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        for name, text in (("sbatch", SBATCH), ("login", LOGIN.format(sftp=SFTP, place=place))):
            (place / name).write_text(text)
            (place / name).chmod(0o755)
        settings = {
            "ListenAddress": "127.0.0.1",
            "Port": self.port,
            "HostKey": Path(lab.known_hosts).parent / "host_key",
            "PidFile": "none",
            "AllowUsers": "ehpcuser",
            "UsePAM": "no",
            "Subsystem": f"sftp {SFTP}",
            "ForceCommand": place / "login",
            "PrintMotd": "no",
            "MaxStartups": 100,
        }
        (place / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        self.process = None
        self.start()

    def start(self):
        argv = ["/usr/sbin/sshd", "-D", "-E", self.place / "log", "-f", self.place / "config"]
        self.process = subprocess.Popen(argv)
        wait_for(self.listens, what="the sshd")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        """The listener; open connections live on."""
        self.process.kill()
        self.process.wait(10)

    def close(self):
        self.stop()
        for path in self.place.iterdir():
            path.unlink()
        self.place.rmdir()


class Front:
    """A Jupyter server that may be killed, halted and started again, the cluster ``slurm`` behind a wire that breaks."""

    def __init__(self, lab, root, **profile):
        self.root = root
        self.sshd = Sshd(lab, Path("/tmp") / f"ehpc-faults-{os.getpid()}-{time.time_ns()}")
        self.wire = Wire("127.0.0.1", self.sshd.port)
        known = root / "known_hosts"
        known.write_text(Path(lab.known_hosts).read_text().replace(f"]:{lab.port}", f"]:{self.wire.port}"))
        limits = {"connect_timeout_s": 3, "command_timeout_s": 8, "poll_interval_s": 0.5}
        self.profile = lab.profile(port=self.wire.port, known_hosts=str(known), **{**limits, **profile})
        self.server = self._server()
        self.server.wait()

    def _server(self, port=None, token=None):
        config = {"EhpcExtension": {"clusters": {"slurm": self.profile}, "rate_limit": 0}}
        return Server(self.root, self.root / "data", config=config, port=port, token=token)

    def kill(self):
        """-9, and a new one in its place."""
        old = self.server
        old.process.kill()
        old.process.wait(10)
        self.server = self._server(old.port, old.token)
        self.server.wait()

    def halt(self, seconds, ended):
        """A laptop that sleeps."""
        self.server.process.send_signal(signal.SIGSTOP)
        ended.wait(seconds)
        self.server.process.send_signal(signal.SIGCONT)

    def backend(self):
        """As a kernel has it."""
        return HttpBackend(self.server.url, self.server.token)

    def close(self):
        self.wire.close()
        self.server.process.send_signal(signal.SIGCONT)
        self.server.stop()
        self.sshd.close()


class Trouble(threading.Thread):
    """Breaks one thing after the other and mends it again.

    Args:
        front: what is broken.
        seed: of the generator that chooses what and when.
    """

    def __init__(self, front, seed):
        super().__init__(daemon=True)
        self.front = front
        self.random = random.Random(seed)
        self.ended = threading.Event()
        self.done = Counter()
        self.fault = None

    def run(self):
        ways = {
            self.cut: 5,
            self.cut_in_request: 8,
            self.cut_before_answer: 8,
            self.half_close: 3,
            self.stall: 3,
            self.lag: 2,
            self.refuse: 2,
            self.kill: 4,
            self.halt: 2,
            self.sshd: 3,
        }
        try:
            while not self.ended.wait(self.random.uniform(0.1, 0.9)):
                (way,) = self.random.choices(list(ways), list(ways.values()))
                way()
                self.done[way.__name__] += 1
        except BaseException as error:
            self.fault = error
        finally:
            self.front.wire.flow()

    def cut(self):
        self.front.wire.cut()

    def cut_in_request(self):
        self.front.wire.cut_after_sent(self.random.randint(1, 12_000))
        self._met()

    def cut_before_answer(self):
        self.front.wire.cut_before_answer(self.random.randint(1, 1500))
        self._met()

    def _met(self):
        """Let it wait for something to cut."""
        before = self.front.wire.hits
        for _ in range(30):
            if self.front.wire.hits > before or self.ended.wait(0.1):
                return

    def half_close(self):
        self.front.wire.half_close(self.random.random() < 0.5)

    def stall(self):
        self.front.wire.stall()
        # Now and then longer than a command may take.
        self.ended.wait(self.random.choice((0.5, 2, 10)))
        if self.random.random() < 0.5:
            self.front.wire.cut()
        self.front.wire.flow()

    def lag(self):
        self.front.wire.lag_s = self.random.uniform(0.05, 0.5)
        self.ended.wait(self.random.uniform(0.5, 2))
        self.front.wire.flow()

    def refuse(self):
        self.front.wire.refusing = True
        self.front.wire.cut()
        self.ended.wait(self.random.uniform(0.5, 2))
        self.front.wire.flow()

    def kill(self):
        self.front.kill()

    def halt(self):
        self.front.halt(self.random.choice((0.5, 3, 9)), self.ended)

    def sshd(self):
        self.front.sshd.stop()
        if self.random.random() < 0.5:
            self.front.wire.cut()
        self.ended.wait(self.random.uniform(0.2, 1.5))
        self.front.sshd.start()


class Crowd:
    """Users who submit a number of jobs, each with a token, and ask again with it until they know what became of it.

    Args:
        front: whom they ask.
        count: how many jobs are to run.
        pace_s: the mean time between two jobs.
        body: the request's body for a number and a token.
        seed: of their pauses.
    """

    THREADS = 8

    def __init__(self, front, count, pace_s, body, seed):
        self.front, self.body, self.pace_s = front, body, pace_s
        self.random = random.Random(seed + 1)
        self.left = list(range(count))
        self.ids = {}
        """Token → the job's id."""
        self.numbers = {}
        """Token → which job it is."""
        self.refused = {}
        """Token → why it was not submitted."""
        self.answers = Counter()
        self.faults = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.THREADS)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def is_done(self):
        return bool(self.faults) or not any(thread.is_alive() for thread in self.threads)

    def close(self):
        self._closed.set()

    def _work(self):
        try:
            while not self._closed.is_set():
                with self._lock:
                    if not self.left:
                        return
                    number = self.left.pop()
                    pause = self.random.uniform(0, 2 * self.pace_s * self.THREADS)
                self._closed.wait(pause)
                attempt = 0
                while not self._closed.is_set() and not self._submit(number, f"job-{number}-{attempt}"):
                    attempt += 1
        except BaseException as error:
            self.faults.append(error)

    def _submit(self, number, token):
        """Until it is known; whether it runs."""
        self.numbers[token] = number
        while not self._closed.is_set():
            try:
                answer = self.front.backend().call("CreateJob", self.body(number, token), 30)
            except EhpcError as error:
                self.answers[type(error).__name__] += 1
                if "was not submitted" in error.detail:
                    self.refused[token] = error.detail
                    return False
                if not error.transient:
                    raise
                self._closed.wait(0.3)
            else:
                self.answers["an id"] += 1
                self.ids[token] = answer["JobId"]
                return True
        return False

"""The daemons of a lab in the order they start: each needs those before it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ehpclab.layout import CTLD_PORT, DBD_PORT, MUNGE_SOCKET, NODES, Lab, LabError, slurmd_port
from ehpclab.procs import (
    ENV,
    Process,
    attempt,
    from_pid_file,
    holders_of_sockets_below,
    listening,
    wait_until,
)

PACKAGES = {
    "munged": "munge",
    "sshd": "openssh-server",
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "slurmdbd": "slurmdbd",
    "slurmctld": "slurm-wlm",
    "slurmd": "slurm-wlm",
    "sbatch": "slurm-wlm",
    "ssh-keygen": "openssh-server",
}
ACCOUNTING_ONLY = ("mariadbd", "mariadb-install-db", "slurmdbd")

# How long one that went into the background may take to write its pid file.
GRACE = 3.0


def program(name: str) -> str:
    path = shutil.which(name, path=ENV["PATH"])
    if path is None:
        raise LabError(f"{name} is not installed (package {PACKAGES[name]})")
    return path


def check_installed(accounting: bool) -> None:
    wanted = [name for name in PACKAGES if accounting or name not in ACCOUNTING_ONLY]
    missing = [name for name in wanted if shutil.which(name, path=ENV["PATH"]) is None]
    if missing:
        packages = " ".join(dict.fromkeys(PACKAGES[name] for name in missing))
        without = ", or --no-accounting" if set(missing) <= set(ACCOUNTING_ONLY) else ""
        raise LabError(
            f"not installed: {', '.join(missing)}; missing Debian packages: {packages}"
            f" (apt-get install --no-install-recommends {packages}{without})"
        )


def check_munge_socket() -> None:
    """Refuse to share the machine with a munged that is not this lab's."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(MUNGE_SOCKET))
        except OSError:
            return  # nobody, or what one that was killed has left
    pids = " ".join(str(process.pid) for process in holders_of_sockets_below(MUNGE_SOCKET))
    raise LabError(f"another munged (process {pids or 'not visible here'}) has {MUNGE_SOCKET}; stop it first")


@dataclass(frozen=True)
class Daemon:
    name: str
    program: str
    arguments: tuple[str, ...]
    pid_file: Path
    logs: tuple[Path, ...]
    ready: Callable[[], bool]
    user: str | None = None

    def process(self) -> Process | None:
        return from_pid_file(self.pid_file, self.program)

    def serves(self, limit: float = 15) -> bool:
        """Whether it does its work, once one that has just been told to end has had the time to.

        One that is halted cannot answer and counts as doing its work.
        """

        def settled() -> bool:
            process = self.process()
            return process is None or process.halted() or self.ready()

        return wait_until(settled, limit) and self.process() is not None

    def launch(self, limit: float = 10) -> None:
        """Start it and return when it serves."""
        self.pid_file.unlink(missing_ok=True)
        # Its output goes to a file: a daemon that inherits a pipe keeps whoever
        # reads our output waiting for the end of it.
        with self.logs[-1].open("ab") as output:
            child = subprocess.Popen(
                [program(self.program), *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=ENV,
                cwd="/",
                start_new_session=True,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
            )

        seen = time.monotonic()

        def failed() -> bool:
            nonlocal seen
            if child.poll() is None or self.process():
                seen = time.monotonic()
            # Those that put themselves in the background leave a child that ends with 0.
            return child.poll() not in (None, 0) or time.monotonic() - seen > GRACE

        def up() -> bool:
            return self.process() is not None and self.ready()

        if wait_until(lambda: failed() or up(), limit) and not failed():
            return
        why = f"not ready after {limit:.0f} s"
        if failed():
            why = f"exit {child.returncode}" if child.returncode else "ended soon after its start"
        # One that has not got as far as its pid file nobody else could find.
        child.kill()
        child.wait()
        raise LabError(f"{self.name}: {why}", self.logs)


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def daemons(lab: Lab) -> list[Daemon]:
    def logs(name: str) -> tuple[Path, ...]:
        # The second one is for what is said before the log file is open.
        return lab.log / f"{name}.log", lab.log / f"{name}.out"

    settings = lab.settings
    munged = Daemon(
        "munged",
        "munged",
        (
            f"--key-file={lab.munge / 'munge.key'}",
            f"--socket={MUNGE_SOCKET}",
            f"--pid-file={lab.munge / 'munged.pid'}",
            f"--log-file={lab.munge / 'munged.log'}",
            f"--seed-file={lab.munge / 'munged.seed'}",
        ),
        lab.munge / "munged.pid",
        (lab.munge / "munged.log", lab.log / "munged.out"),
        lambda: attempt("munge", "-n").returncode == 0,
        user="munge",
    )
    sshd = Daemon(
        "sshd",
        "sshd",
        ("-f", str(lab.etc / "sshd_config"), "-E", str(lab.log / "sshd.log")),
        lab.run / "sshd.pid",
        logs("sshd"),
        lambda: _greets(settings.sshd_port),
    )
    mariadbd = Daemon(
        "mariadbd",
        "mariadbd",
        (f"--defaults-file={lab.etc / 'mariadb.cnf'}", f"--init-file={lab.db / 'init.sql'}"),
        lab.db / "mariadbd.pid",
        (lab.log / "mariadbd.out",),
        lambda: listening(settings.db_port),
    )
    slurmdbd = Daemon(
        "slurmdbd",
        "slurmdbd",
        (),
        lab.run / "slurmdbd.pid",
        logs("slurmdbd"),
        lambda: listening(DBD_PORT),
    )
    slurmctld = Daemon(
        "slurmctld",
        "slurmctld",
        (),
        lab.run / "slurmctld.pid",
        logs("slurmctld"),
        lambda: listening(CTLD_PORT),
    )
    return [
        munged,
        sshd,
        *((mariadbd, slurmdbd) if settings.accounting else ()),
        slurmctld,
        *(_slurmd(lab, node) for node in NODES),
    ]


def _slurmd(lab: Lab, node: str) -> Daemon:
    name = f"slurmd.{node}"
    return Daemon(
        name,
        "slurmd",
        ("-N", node),
        lab.run / f"{name}.pid",
        (lab.log / f"{name}.log", lab.log / f"{name}.out"),
        lambda: listening(slurmd_port(node)),
    )

"""How what lives without a terminal is started, known to live, and woken."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ehpc_jupyter.localq.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The descriptor by which a daemon holds its own lock.
LOCK_FD = 3
_LOG_BYTES = 1_000_000
#: What a daemon needs of the environment; Jupyter's tokens and everybody's secrets do not live on in it.
_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def lock(path: Path) -> int | None:
    """Take the lock on a file, made if it is missing; its descriptor, or None if somebody who lives holds it.

    The lock belongs to the open file, not to a process: it passes to a child with the descriptor without a moment
    in which nobody has it, and it is gone when the last of them is dead.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return None
        raise
    return descriptor


class Bell:
    """The FIFO by which a daemon is woken; a signal wakes it too. What happened stands in the database.

    (Not a socket: the path of one may have 107 bytes at most.)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # A reader of our own first, then a writer of our own: without one, the FIFO would be at its end for ever.
        self._read = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._write = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        self._caught: set[int] = set()
        # Whoever started us may have blocked or ignored any of these.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda caught, _: self._caught.add(caught))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    @property
    def told_to_end(self) -> bool:
        """Whether SIGTERM came, as it does when the machine shuts down."""
        return signal.SIGTERM in self._caught

    def wait(self, seconds: float) -> None:
        """Return when it rings, when a signal comes or when the time is over."""
        if select.select([self._read], [], [], max(0.0, seconds))[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._read, 65536)

    def close(self) -> None:
        """Hear nothing any more."""
        signal.set_wakeup_fd(-1)
        os.close(self._read)
        os.close(self._write)


def ring(path: Path) -> None:
    """Wake whoever listens there, if anybody does."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # ENOENT, ENXIO: nobody listens, and whoever comes next looks into the database first
        return
    try:
        os.write(descriptor, b"!")
    except OSError:  # full: it is rung already
        pass
    finally:
        os.close(descriptor)


def ensure_manager(folder: Path, *, ring_it: bool = True) -> None:
    """Start a manager if none lives; else wake it. Raises OSError: this machine starts no more processes.

    Args:
        folder: the queue's.
        ring_it: whether there is news for a manager that lives.
    """
    held = lock(folder / "manager.lock")
    if held is None:
        if ring_it:
            ring(folder / "manager.bell")
        return
    try:
        spawn(folder, held, "_manager")
    finally:
        os.close(held)


def lock_of(folder: Path, job: int, index: int) -> Path:
    """The file whose lock a task's shepherd holds."""
    return folder / f"task-{job}_{index}.lock"


def bell_of(folder: Path, job: int, index: int) -> Path:
    """The bell of a task's shepherd."""
    return folder / f"task-{job}_{index}.bell"


def spawn(folder: Path, held: int, *words: str) -> int:
    """Start one of our daemons in a session of its own, with cwd ``/`` and nothing of ours but a lock; its pid.

    Args:
        folder: the queue's; its log is there.
        held: the lock that passes to it.
        words: its arguments.
    """
    program = str(Path(__file__).with_name("__main__.py"))
    argv = [sys.executable, "-I", "-S", "-X", "utf8", program, *words]
    environ = daemon_environment(os.environ, folder)
    # Open before the fork: a full disk or a missing folder shows here.
    log_fd, null = _open_log(folder), os.open(os.devnull, os.O_RDWR)
    try:
        pid = os.fork()
        if pid == 0:
            _become(argv, environ, held, log_fd, null)
    finally:
        os.close(log_fd)
        os.close(null)
    return pid


def _become(argv: list[str], environ: dict[str, str], held: int, log_fd: int, null: int) -> NoReturn:
    try:
        os.setsid()
        os.chdir("/")
        # Out of the way of 0 to 3 first, since each of them may be one of those.
        held, log_fd, null = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (held, log_fd, null))
        for source, target in ((null, 0), (log_fd, 1), (log_fd, 2), (held, LOCK_FD)):
            os.dup2(source, target)
        # Jupyter's pipes and sockets: whoever reads one to its end would wait for this daemon.
        # (os.closerange up to the limit takes minutes in containers that allow a billion descriptors.)
        for entry in list(Path("/dev/fd").iterdir()):
            with contextlib.suppress(OSError):  # the one that listed the others is closed already
                if int(entry.name) > LOCK_FD:
                    os.close(int(entry.name))
        os.execve(argv[0], argv, environ)  # noqa: S606 - no shell is wanted
    except OSError as error:
        log(f"{argv[0]} cannot be started: {error}")
    finally:
        os._exit(127)


def daemon_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What a daemon keeps of the environment of whoever started it, and the queue's folder."""
    kept = {name: value for name, value in environ.items() if name in _KEPT or name.startswith(("LC_", PREFIX))}
    return {**kept, PREFIX + "HOME": str(folder)}


def _open_log(folder: Path) -> int:
    path = folder / "manager.log"
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_BYTES:
            path.replace(folder / "manager.log.1")
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def log(text: str) -> None:
    """Write a line to the log, which is where a daemon's stderr goes."""
    line = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} [{os.getpid()}] {text}\n"
    with contextlib.suppress(OSError):  # a full disk stops no job
        os.write(2, line.encode(errors="backslashreplace"))

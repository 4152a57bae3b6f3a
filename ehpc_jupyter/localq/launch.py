"""From a shepherd's fork to the job's script: a session of its own, output files, folder, environment, exec."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ehpc_jupyter.localq.daemon import LOCK_FD
from ehpc_jupyter.localq.database import array_of
from ehpc_jupyter.localq.environment import of_task

if TYPE_CHECKING:
    import sqlite3

_OUTPUT = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOCTTY


class _Fault(Exception):
    """Why the script cannot run."""


class Child(NamedTuple):
    """A process that will become the script.

    Attributes:
        pid: also the id of its session.
        go: a byte written here lets it go on; closed without, it leaves.
        fault: what went wrong before the script ran, as text; at its end as soon as the script runs.
    """

    pid: int
    go: int
    fault: int


def fork(job: sqlite3.Row, index: int) -> Child:
    """Start a process that waits for ``go`` and then becomes the task's script.

    So it can be noted before it does anything: whatever is killed at whatever moment, a script that ran is known.
    """
    go_read, go_write = os.pipe()
    fault_read, fault_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go_write)
        os.close(fault_read)
        os.close(LOCK_FD)  # it is the shepherd that lives; this may hang in opening an output
        _child(job, index, go_read, fault_write)
    os.close(go_read)
    os.close(fault_write)
    return Child(pid, go_write, fault_read)


def expand(path: str, job: int, number: int | None) -> str:
    """The file that a path with ``%j``, ``%A``, ``%a``, ``%%`` means for a task."""
    # NUL cannot be in a path.
    task = "" if number is None else str(number)
    text = path.replace("%%", "\0").replace("%j", str(job)).replace("%A", str(job)).replace("%a", task)
    return text.replace("\0", "%")


def _child(job: sqlite3.Row, index: int, go: int, fault: int) -> NoReturn:
    try:
        os.setsid()
        # Python ignores SIGPIPE and SIGXFSZ, a daemon SIGHUP and SIGINT, and exec would pass that on: `yes | head`
        # would end with an error.
        for number in ("SIGPIPE", "SIGXFSZ", "SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGCHLD"):
            signal.signal(getattr(signal, number), signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if os.read(go, 1):
            _run(job, index)
    except _Fault as error:
        os.write(fault, f"it could not be started: {error}".encode(errors="surrogateescape"))
    except BaseException as error:  # noqa: BLE001 - a forked child must not return into its parent's code
        os.write(fault, f"it could not be started: {error}".encode(errors="backslashreplace"))
    finally:
        os._exit(127)


def _run(job: sqlite3.Row, index: int) -> NoReturn:
    array = array_of(job)
    number = array.number(index) if array else None
    os.umask(job["umask"])
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    paths = [expand(job[which], job["id"], number) for which in ("stdout", "stderr")]
    out = _output(paths[0], "standard output")
    error = out if paths[1] == paths[0] else _output(paths[1], "standard error")
    os.dup2(out, 1)
    os.dup2(error, 2)
    folder = job["work_dir"]
    try:
        os.chdir(folder)
    except OSError as fault:
        raise _Fault(f"the working folder {folder} {_words(fault, 'cannot be entered')}") from None
    _exec(job["script"], of_task(job, array, index))


def _output(path: str, what: str) -> int:
    try:
        return os.open(path, _OUTPUT, 0o666)
    except OSError as fault:
        parent = Path(path).parent
        if fault.errno == errno.ENOENT and not parent.exists():
            raise _Fault(f"the file {path} for {what} cannot be made: its folder {parent} does not exist") from None
        raise _Fault(f"the file {path} for {what} cannot be written: {fault.strerror}") from None


def _exec(script: str, environ: dict[bytes, bytes]) -> NoReturn:
    try:
        os.execve(script, [script], environ)  # noqa: S606 - the script says what runs it
    except OSError as error:
        fault = error
    # Not executable (or on a file system mounted noexec), without "#!", or still open for writing in some process that
    # was forked while it was being written: its interpreter can read it all the same.
    if fault.errno not in (errno.EACCES, errno.ENOEXEC, errno.ETXTBSY) and not Path(script).exists():
        raise _Fault(f"the script {script} {_words(fault, 'cannot be run')}")
    try:
        with Path(script).open("rb") as file:
            first = file.readline(4096)
    except OSError as error:
        raise _Fault(f"the script {script} {_words(error, 'cannot be read')}") from None
    words = first[2:].strip().split(None, 1) if first.startswith(b"#!") else []
    words = words or [b"/bin/sh"]
    try:
        os.execve(words[0], [*words, os.fsencode(script)], environ)  # noqa: S606
    except OSError as error:
        name = os.fsdecode(words[0])
        raise _Fault(f"the interpreter {name} of the script {script} {_words(error, 'cannot be run')}") from None


def _words(error: OSError, otherwise: str) -> str:
    return "does not exist" if error.errno == errno.ENOENT else f"{otherwise}: {error.strerror}"

"""The command line. Answers go to stdout; refusals to stderr with exit code 1, misuse with exit code 2."""

from __future__ import annotations

import contextlib
import os
import pwd
import sqlite3
import sys
import time
from typing import TYPE_CHECKING

from ehpc_jupyter.localq import VERSION, Refused, dependencies, environment, orders, progress, report
from ehpc_jupyter.localq.daemon import bell_of, ensure_manager, ring
from ehpc_jupyter.localq.database import Database, file_of
from ehpc_jupyter.localq.indices import Array
from ehpc_jupyter.localq.machine import machine
from ehpc_jupyter.localq.options import parse
from ehpc_jupyter.localq.plan import Amount
from ehpc_jupyter.localq.settings import QUEUE, home

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

#: Between the fields of ``--parsable``. In values, control characters and backslashes are written as ``\\xHH``.
FIELD = "\x1f"
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 92, 127)}


def main(argv: Sequence[str]) -> int:
    """Run a command; its exit code."""
    options = parse(argv)
    try:
        problems = _VERBS[options.verb](options)
    except Refused as error:
        problems = [str(error)]
    except sqlite3.Error as error:
        problems = [f"the queue's database {file_of(home())} cannot be used: {error}"]
    except BrokenPipeError:  # whoever read the answer has left: status | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except OSError as error:
        problems = [f"the queue in {home()} cannot be used: {error}"]
    for problem in problems:
        sys.stderr.write(f"localq: {problem}\n")
    return 1 if problems else 0


def _wake(database: Database, *, ring_it: bool = True) -> None:
    """See to it that a manager lives if there is work for one."""
    dependencies.catch_up(database)
    if progress.has_work(database):
        try:
            ensure_manager(database.folder, ring_it=ring_it)
        except OSError as error:
            # What was ordered is noted; whoever comes next tries again.
            sys.stderr.write(f"localq: noted, but the queue's manager could not be started: {error}\n")


def _submit(options: argparse.Namespace) -> list[str]:
    if options.queue != QUEUE:
        raise Refused(f"there is no queue {options.queue!r}; the only one is {QUEUE}")
    if options.nodes != 1:
        raise Refused(f"{options.nodes} nodes asked for; this queue has one node, this machine")
    job = _new_job(options)
    if options.test_only:
        return _test(job, parsable=options.parsable)
    with contextlib.closing(Database(home(), create=True)) as database:
        number = orders.submit(database, job, machine(), int(time.time()))
        _wake(database)
    sys.stdout.write(f"Submitted batch job {number}\n")
    return []


def _test(job: orders.NewJob, *, parsable: bool) -> list[str]:
    """Say what would become of a job. The script's text may be in stdin: it is not needed, and so not read."""
    try:
        with contextlib.closing(Database(home())) as database:
            now = orders.starts_now(database, job, machine())
    except FileNotFoundError:
        now = orders.starts_now(None, job, machine())
    words = "it would start now" if now else "it would wait; when it would start is not known"
    start = {"start_time": str(int(time.time()))} if now else {}
    entry = {"words": words, "node": os.uname().nodename, **start}
    if parsable:
        _show([entry], (), parsable=True)
    else:
        sys.stdout.write(f"{words}\n")
    return []


def _new_job(options: argparse.Namespace) -> orders.NewJob:
    array = Array.parse(options.array) if options.array else None
    script = _absolute(options.script or "")
    if options.script is not None and not os.path.isfile(script):  # noqa: PTH113 - a str all the way
        raise Refused(f"there is no script {script}")
    output = options.output or ("job-%j_%a.out" if array else "job-%j.out")
    umask = os.umask(0o077)
    os.umask(umask)
    job = orders.NewJob(
        script=script,
        name=options.name or os.path.basename(script),  # noqa: PTH119
        token=options.token,
        user=_user(),
        work_dir=_absolute(options.chdir),
        stdout=_absolute(output),
        stderr=_absolute(options.error or output),
        umask=umask,
        environment=environment.kept(os.environb),
        priority=options.priority,
        need=Amount(options.cores, options.memory_mb, options.gpus),
        wall_time_s=options.time,
        array=array,
        held=options.hold,
        after=dependencies.read(options.after) if options.after else [],
    )
    for text in (job.name, job.token, job.script, job.work_dir, job.stdout, job.stderr):
        _require_utf8(text)
    return job


def _absolute(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - pathlib keeps ".."


def _require_utf8(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(f"{os.fsencode(text)!r} is no UTF-8 text") from None


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container that runs under a number nobody has a name for
        return str(os.getuid())


def _status(options: argparse.Namespace) -> list[str]:
    found: list[report.Entry] = []
    # No database yet: nothing was ever submitted.
    with contextlib.suppress(FileNotFoundError), contextlib.closing(Database(home())) as database:
        _wake(database, ring_it=False)
        found = report.entries(database, machine(), options.ids or None, int(time.time()))
    _show(found, ("job", "tasks", "state", "exit_code", "name", "reason"), parsable=options.parsable)
    return []


def _queues(options: argparse.Namespace) -> list[str]:
    found = report.queues(None, machine())
    with contextlib.suppress(FileNotFoundError), contextlib.closing(Database(home())) as database:
        found = report.queues(database, machine())
    _show(found, ("name", "state", "cores", "memory_mb", "gpus"), parsable=options.parsable)
    return []


def _show(entries: list[report.Entry], columns: tuple[str, ...], *, parsable: bool) -> None:
    """Print all fields of the entries for programs, or some as a table for people."""
    if parsable:
        lines = [
            FIELD.join(f"{name}={value.translate(_ESCAPES)}" for name, value in entry.items()) for entry in entries
        ]
    else:
        rows = [[entry.get(name, "").translate(_ESCAPES) for name in columns] for entry in entries]
        rows.insert(0, [name.upper() for name in columns])
        widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _stop(options: argparse.Namespace) -> list[str]:
    def order(database: Database, text: str) -> None:
        for job, index in orders.stop(database, text, int(time.time()), _user()):
            ring(bell_of(database.folder, job, index))

    return _each(options.ids, order)


def _hold(options: argparse.Namespace) -> list[str]:
    return _each(options.ids, orders.hold)


def _release(options: argparse.Namespace) -> list[str]:
    return _each(options.ids, orders.release)


def _each(ids: list[str], order: Callable[[Database, str], None]) -> list[str]:
    """Give an order for each id, also after one was refused; the refusals."""
    try:
        database = Database(home())
    except FileNotFoundError:
        return [f"there is no job {text}" for text in ids]
    with contextlib.closing(database):
        problems = [_refusal(order, database, text) for text in ids]
        _wake(database)
    return [problem for problem in problems if problem]


def _refusal(order: Callable[[Database, str], None], database: Database, text: str) -> str | None:
    try:
        order(database, text)
    except Refused as error:
        return str(error)
    return None


def _version(_: argparse.Namespace) -> list[str]:
    sys.stdout.write(f"localq {VERSION}\n")
    return []


_VERBS: dict[str, Callable[[argparse.Namespace], list[str]]] = {
    "submit": _submit,
    "status": _status,
    "queues": _queues,
    "stop": _stop,
    "hold": _hold,
    "release": _release,
    "version": _version,
}

"""Running commands, and watching and ending processes by their id."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ehpclab.layout import LabError

# Not the caller's environment: a SLURM_* or SBATCH_* variable in it would change
# what the daemons and the commands do.
ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True)
class Process:
    """A process id with its start time, so that a reused id is not taken for it."""

    pid: int
    started: int

    def alive(self) -> bool:
        return look(self.pid) == self

    def halted(self) -> bool:
        return self.alive() and _stat(self.pid)[:1] in (["T"], ["t"])

    def signal(self, number: signal.Signals) -> None:
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, UnicodeDecodeError):
        return []
    # The program name before may hold spaces and parentheses.
    return text[text.rindex(")") + 2 :].split()


def look(pid: int) -> Process | None:
    """The process if it lives.

    A zombie counts as gone: where process 1 does not collect orphans, a daemon
    that has ended keeps its id, and kill(pid, 0) would see it for ever.
    """
    fields = _stat(pid)
    if not fields or fields[0] in "ZX":
        return None
    return Process(pid, int(fields[19]))


def from_pid_file(path: Path, program: str) -> Process | None:
    """The process a daemon recorded, unless the id now belongs to another program."""
    try:
        pid = int(path.read_text())
        comm = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        return None
    return look(pid) if comm == program[:15] else None


def _all_pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def descendants(roots: Iterable[Process]) -> list[Process]:
    children: dict[int, list[int]] = {}
    for pid in _all_pids():
        fields = _stat(pid)
        if fields:
            children.setdefault(int(fields[1]), []).append(pid)
    found: list[Process] = []
    todo = [root.pid for root in roots]
    while todo:
        for pid in children.get(todo.pop(), []):
            todo.append(pid)
            if process := look(pid):
                found.append(process)
    return found


def holders_of_sockets_below(folder: Path) -> list[Process]:
    """The processes that hold a unix socket whose path starts with `folder`."""
    inodes = set()
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) == 8 and fields[7].startswith(str(folder)):
            inodes.add(f"socket:[{fields[6]}]")
    found = []
    for pid in _all_pids() if inodes else ():
        try:
            files = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        if inodes.intersection(files) and (process := look(pid)):
            found.append(process)
    return found


def listening(port: int) -> bool:
    """Whether somebody listens on the TCP port.

    Looked up, not tried: a probe that connects and leaves shows up as an error
    in the log of most daemons.
    """
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if table.exists():
            for line in table.read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    return True
    return False


def wait_until(condition: Callable[[], bool], limit: float, pause: float = 0.02) -> bool:
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def terminate(processes: Iterable[Process], limit: float = 15) -> None:
    """End all of them, politely first, and return when they are gone."""
    left = list(processes)

    def gone() -> bool:
        left[:] = [process for process in left if process.alive()]
        return not left

    for process in left:
        process.signal(signal.SIGTERM)
        # A test may have stopped it; it would sleep through the SIGTERM.
        process.signal(signal.SIGCONT)
    if wait_until(gone, limit):
        return
    for process in left:
        process.signal(signal.SIGKILL)
    if not wait_until(gone, 5):
        pids = ", ".join(str(process.pid) for process in left)
        raise LabError(f"processes that do not end: {pids}")


def attempt(
    *command: str, stdin: str = "", user: str | None = None, limit: float = 30
) -> subprocess.CompletedProcess[str]:
    """Run a short command; a failure is for the caller to judge."""
    try:
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            env=ENV,
            cwd="/",
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            timeout=limit,
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", "no such command")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer in {limit:.0f} s")


def check(*command: str, stdin: str = "", user: str | None = None, limit: float = 30) -> str:
    """Run a short command that must succeed and return what it wrote."""
    done = attempt(*command, stdin=stdin, user=user, limit=limit)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise LabError(f"{' '.join(command)}: exit {done.returncode}: {said}")
    return done.stdout

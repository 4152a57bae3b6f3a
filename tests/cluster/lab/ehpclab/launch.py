"""Starting and repairing a lab."""

import argparse
import fcntl
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from ehpclab import configs, people
from ehpclab.daemons import check_installed, check_munge_socket, daemons
from ehpclab.layout import (
    CTLD_PORT,
    DBD_PORT,
    DEFAULT_STATE,
    LOCK,
    NODES,
    USERS,
    Lab,
    LabError,
    Settings,
    slurmd_port,
)
from ehpclab.procs import attempt, check, listening, wait_until
from ehpclab.teardown import tear_down

T = TypeVar("T")

USABLE = ("idle", "mixed", "allocated", "completing")


def say(text: str) -> None:
    print(text, flush=True)


def step(text: str, work: Callable[[], T]) -> T:
    """Name what is about to be done, so that what hangs can be seen, and say how long it took."""
    print(text, end=" ... ", flush=True)
    begin = time.monotonic()
    try:
        result = work()
    except BaseException:
        say("failed")
        raise
    say(f"{time.monotonic() - begin:.1f} s")
    return result


def check_machine(lab: Lab, accounting: bool) -> None:
    check_installed(accounting)
    state = str(lab.state)
    # Slurm's files know no quotes, and a socket's path ends at 107 characters.
    if len(state) > 60 or any(char in state for char in " \t#=,%[]$'\""):
        raise LabError(f"{state}: as a state folder too long or with odd characters")
    if lab.state.is_symlink() or (lab.state.exists() and any(lab.state.iterdir())):
        raise LabError(f"{state} is not empty and not a lab's")
    other = configs.linked_state()
    if other and Lab(other).exists() and any(d.process() for d in daemons(Lab(other))):
        raise LabError(f"another lab runs in {other}; stop it first")
    check_munge_socket()
    ports = [CTLD_PORT, *((DBD_PORT,) if accounting else ()), *map(slurmd_port, NODES)]
    if taken := [str(port) for port in ports if listening(port)]:
        raise LabError(f"somebody else listens on port {', '.join(taken)}")


def prepare(lab: Lab, accounting: bool, min_job_age_s: int) -> dict[str, dict[str, str]]:
    lab.state.mkdir(mode=0o755, parents=True, exist_ok=True)
    shutil.chown(lab.state, "root", "root")
    lab.save(Settings(accounting, configs.free_port(), configs.free_port(), min_job_age_s))
    configs.make_folders(lab)
    configs.make_devices(lab)
    configs.write_configs(lab)
    configs.make_host_key(lab)
    configs.link_configs(lab)
    return {name: people.make_user(lab, name) for name in USERS}


def make_database(lab: Lab) -> None:
    check(
        "mariadb-install-db",
        f"--defaults-file={lab.etc / 'mariadb.cnf'}",
        "--auth-root-authentication-method=socket",
        "--skip-test-db",
    )


def bring_up(lab: Lab, fresh: bool) -> None:
    """Start what does not run."""
    for daemon in daemons(lab):
        if daemon.serves():
            continue
        if daemon.process():
            raise LabError(f"{daemon.name}: runs, but does not answer; stop the lab", daemon.logs)
        if fresh and daemon.name == "mariadbd":
            step("database", lambda: make_database(lab))
        if daemon.name == "munged":
            check_munge_socket()
        step(daemon.name, daemon.launch)
        if fresh and daemon.name == "slurmdbd":
            try:
                step("accounts and users", lambda: people.register(lab))
            except LabError as error:
                raise LabError(str(error), daemon.logs) from error


def node_states() -> dict[str, str]:
    words = attempt("sinfo", "-h", "-N", "-o", "%N %T").stdout.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def schedules() -> bool:
    """Whether slurmctld starts jobs: its scheduler looks at the queue three seconds late."""
    # The first line of two; the other counts the backfilling, which waits for a queue.
    found = re.search(r"Total cycles: *(\d+)", attempt("sdiag").stdout)
    return found is not None and int(found[1]) > 0


def wait_ready(lab: Lab) -> None:
    logs = (lab.log / "slurmctld.log", *(lab.log / f"slurmd.{node}.log" for node in NODES))
    resumed: set[str] = set()

    def nodes_up() -> bool:
        states = node_states()
        for node, state in states.items():
            # Only after a repair. A node that is down without being drained comes
            # back by itself, and slurmctld refuses to resume it.
            if state.startswith("drain") and node not in resumed:
                resumed.add(node)
                attempt("scontrol", "update", f"nodename={node}", "state=resume")
        return set(states) == set(NODES) and all(state in USABLE for state in states.values())

    def ended() -> list[str]:
        return [daemon.name for daemon in daemons(lab) if not daemon.process()]

    def invalid() -> bool:
        # Its slurmd reported less than slurm.conf promises; that does not pass.
        return "inval" in node_states().values()

    def nodes() -> None:
        wait_until(lambda: bool(ended()) or nodes_up() or invalid(), 20, 0.05)
        if names := ended():
            raise LabError(f"ended again: {', '.join(names)}", logs)
        if not nodes_up():
            reasons = attempt("sinfo", "-h", "-R", "-o", "%N: %E").stdout.strip()
            raise LabError(f"nodes do not become idle: {node_states()} {reasons}", logs)

    def users() -> None:
        if not wait_until(people.can_submit, 5, 0.1):
            said = attempt("sbatch", "--test-only", "--wrap=true", user=next(iter(USERS))).stderr
            raise LabError(f"a user's job would be refused: {said.strip()}", logs)

    def queue() -> None:
        if not wait_until(schedules, 10, 0.05):
            raise LabError("slurmctld does not look at its queue", logs)

    step("nodes idle", nodes)
    step("users can submit", users)
    step("jobs are scheduled", queue)


def describe(lab: Lab, users: dict[str, dict[str, str]]) -> None:
    """Write lab.json, for whoever called sudo if that is how root was reached."""
    owner = int(os.environ.get("SUDO_UID", "0"))
    for path in (lab.known_hosts, *(Path(user["key"]) for user in users.values())):
        shutil.chown(path, owner)
    running = {daemon.name: daemon for daemon in daemons(lab)}
    pids = {name: process.pid for name, d in running.items() if (process := d.process())}
    description = {
        "host": "127.0.0.1",
        "port": lab.settings.sshd_port,
        "known_hosts": str(lab.known_hosts),
        "users": users,
        # "slurm-wlm 22.05.8"
        "slurm_version": check("sinfo", "-V").split()[-1],
        "accounting": lab.settings.accounting,
        "pids": pids,
        "pid_files": {name: str(daemon.pid_file) for name, daemon in running.items()},
        "logs": str(lab.log),
    }
    # Complete or absent: a reader must not meet half of it.
    draft = lab.description.with_suffix(".new")
    configs.write_private(draft, json.dumps(description, indent=2) + "\n", owner)
    draft.replace(lab.description)


def start(lab: Lab, accounting: bool, repair: bool, min_job_age_s: int) -> None:
    found = daemons(lab) if lab.exists() else []
    dead = [daemon.name for daemon in found if not daemon.serves()]
    whole = lab.description.exists()
    if repair:
        if not whole:
            raise LabError(f"no lab in {lab.state} to repair")
        if dead:
            try:
                bring_up(lab, fresh=False)
                wait_ready(lab)
            except LabError as error:
                show_tails(error.logs)
                raise
            describe(lab, json.loads(lab.description.read_text())["users"])
        say(f"lab whole again: {lab.description}")
        return
    if whole and found and not dead:
        if lab.settings.accounting != accounting:
            kind = "with" if lab.settings.accounting else "without"
            raise LabError(f"a lab {kind} accounting runs in {lab.state}; stop it first")
        say(f"lab already runs: {lab.description}")
        return
    if found:
        say(f"remains of a lab, not running: {', '.join(dead) or 'nothing'}")
        tear_down(lab, keep=False, say=say)

    lab = Lab(lab.state)  # its settings are read once
    check_machine(lab, accounting)
    try:
        users = step("folders, files, keys", lambda: prepare(lab, accounting, min_job_age_s))
        bring_up(lab, fresh=True)
        wait_ready(lab)
        describe(lab, users)
    except BaseException as error:
        if isinstance(error, LabError):
            show_tails(error.logs)
        if lab.exists():
            tear_down(lab, keep=True, say=say)
        raise
    say(f"lab runs: {lab.description}")


def show_tails(logs: tuple[Path, ...], lines: int = 20) -> None:
    for log in logs:
        if log.exists() and log.stat().st_size:
            print(f"--- {log}", file=sys.stderr)
            text = log.read_text(errors="replace")
            print("\n".join(text.splitlines()[-lines:]), file=sys.stderr)


def options(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--state", metavar="DIR", type=Path, default=DEFAULT_STATE)
    return parser


def in_turn(work: Callable[[], None]) -> int:
    """Do the work as the only start or stop on this machine; return the exit code."""

    def give_up(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    if os.geteuid() != 0:
        print("only root can start and stop a lab", file=sys.stderr)
        return 1
    # Slurm and munge clients run as other users must be able to read what we write.
    os.umask(0o022)
    signal.signal(signal.SIGTERM, give_up)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        begin = time.monotonic()
        try:
            work()
        except LabError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130
        say(f"done in {time.monotonic() - begin:.1f} s")
    return 0


def main() -> int:
    parser = options("Start a Slurm cluster and an sshd on this machine.")
    parser.add_argument("--no-accounting", action="store_true", help="no mariadbd, no slurmdbd")
    parser.add_argument("--repair", action="store_true", help="start again what was stopped in a running lab")
    parser.add_argument(
        "--min-job-age", metavar="S", type=int, default=300, help="how long squeue knows a job after its end (300)"
    )
    args = parser.parse_args()
    lab = Lab(args.state.absolute())
    return in_turn(lambda: start(lab, not args.no_accounting, args.repair, args.min_job_age))

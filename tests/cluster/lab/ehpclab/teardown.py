"""Stopping a lab without leaving a process behind."""

import shutil
import time
from collections.abc import Callable
from signal import SIGKILL

from ehpclab.configs import unlink_configs
from ehpclab.daemons import Daemon, daemons
from ehpclab.layout import Lab
from ehpclab.procs import (
    attempt,
    descendants,
    holders_of_sockets_below,
    terminate,
    wait_until,
)

# Short: a controller that a test has broken does not answer at all.
PATIENCE = 5.0
JOBS_LIMIT = 15.0


def end_jobs() -> bool:
    """Cancel what runs and keep more from starting; False if Slurm does not do it.

    A job that starts while the daemons stop leaves its slurmstepd behind, so the
    partitions close first. What is pending goes with the state folder: to cancel
    10,000 jobs would take nine seconds.
    """
    partitions = attempt("sinfo", "-h", "-o", "%R", limit=PATIENCE)
    if partitions.returncode:
        return False
    for name in partitions.stdout.split():
        attempt("scontrol", "update", f"partitionname={name}", "state=DOWN", limit=PATIENCE)
    asked: set[str] = set()
    end = time.monotonic() + JOBS_LIMIT
    while time.monotonic() < end:
        # %i, as in 26_3: scancel takes the number that %A shows for a running task
        # of an array, ends with 0, and nothing is cancelled.
        running = attempt("squeue", "-h", "-o", "%i", "-t", "R,S,CF,CG", limit=PATIENCE)
        if running.returncode:
            return False
        jobs = set(running.stdout.split())
        if not jobs:
            return True
        if new := jobs - asked:
            attempt("scancel", *new, limit=PATIENCE)
            asked |= new
        time.sleep(0.1)
    return False


def end_steps(lab: Lab) -> int:
    """End the slurmstepds that are left, and return how many had to be killed.

    They are no children of slurmd any more and write no pid file, but each keeps
    a socket open in the spool folder of its node.
    """
    spools = lab.state / "d."

    def none_left() -> bool:
        return not holders_of_sockets_below(spools)

    if wait_until(none_left, 3, 0.05):
        return 0
    left = holders_of_sockets_below(spools)
    for process in [*descendants(left), *left]:
        process.signal(SIGKILL)
    wait_until(none_left, 5, 0.05)
    return len(left)


def end_daemons(group: list[Daemon]) -> None:
    terminate(process for daemon in group if (process := daemon.process()))


def tear_down(lab: Lab, keep: bool, say: Callable[[str], None]) -> None:
    """Stop all that runs of the lab; remove its folder unless told to keep it."""
    by_program: dict[str, list[Daemon]] = {}
    for daemon in daemons(lab):
        by_program.setdefault(daemon.program, []).append(daemon)

    # Sessions outlive the sshd that let them in, and could still submit.
    doors = [process for daemon in by_program["sshd"] if (process := daemon.process())]
    terminate([*doors, *descendants(doors)])
    say("sshd stopped")

    needed = [*by_program["munged"], *by_program["slurmctld"]]
    if all(daemon.process() for daemon in needed) and not end_jobs():
        say("Slurm did not end its jobs in time")
    for program in ("slurmctld", "slurmd"):
        end_daemons(by_program[program])
    if killed := end_steps(lab):
        say(f"killed {killed} slurmstepd that were left")
    say("jobs, slurmctld and slurmd stopped")

    for program in ("slurmdbd", "mariadbd", "munged"):
        end_daemons(by_program.get(program, []))
    say("all daemons stopped")

    unlink_configs(lab)
    lab.description.unlink(missing_ok=True)
    if not keep:
        shutil.rmtree(lab.state)
        say(f"{lab.state} removed")

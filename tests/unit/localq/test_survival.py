"""Whatever is killed at whatever moment: what ran is known, what waits is run, nothing runs twice."""

import os
import signal
import subprocess

import pytest

from tests.conftest import wait_for


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - it may vanish under us
        return file.read().rpartition(")")[2].split()[0] == "Z"


def test_a_manager_killed_in_the_middle(queue):
    job = queue.submit(f"{queue.gate()}; echo done >> out; exit 7", "--cores=2")
    waits = queue.submit("echo after >> out", "--cores=2")
    queue.wait(job, "RUNNING")
    queue.kill(queue.manager())
    wait_for(lambda: not queue.processes("_manager"), what="the manager's end")
    # Nobody asks the queue anything now: the job's own shepherd notes its end and starts a new manager.
    queue.open_gate()
    wait_for(lambda: (queue.work / "out").exists() and "after" in queue.file("out"), what="the second job's output")
    assert queue.wait(job)["exit_code"] == "7"
    assert queue.wait(waits)["state"] == "FINISHED"
    assert queue.file("out") == "done\nafter\n"


def test_a_shepherd_killed(queue):
    job = queue.submit("echo once >> runs; bash -c 'set -m; sleep 71 & wait' & sleep 72", "--output=out")
    waits = queue.submit("true", "--cores=2")
    wait_for(lambda: queue.processes("71") and queue.processes("72"), what="the job's processes")
    queue.kill(*queue.processes("_shepherd"))
    entry = queue.wait(job)
    assert (entry["state"], entry["reason"]) == (
        "NODE_FAILED",
        "the process that watched over it was killed; what it had started was ended",
    )
    wait_for(lambda: not queue.processes("71") + queue.processes("72"), what="the end of what was left")
    assert queue.wait(waits)["state"] == "FINISHED"
    assert queue.file("runs") == "once\n"


def test_manager_and_shepherd_killed(queue):
    job = queue.submit("echo once >> runs; sleep 73")
    waits = queue.submit("true", "--cores=2")
    wait_for(lambda: queue.processes("73"), what="the job's process")
    queue.kill(queue.manager(), *queue.processes("_shepherd"))
    wait_for(lambda: not queue.processes("_manager"), what="the manager's end")
    queue.entries()  # the first question starts a new manager
    assert queue.wait(job)["state"] == "NODE_FAILED"
    assert queue.wait(waits)["state"] == "FINISHED"
    assert not queue.processes("73")
    assert queue.file("runs") == "once\n"


def test_everything_killed_and_the_rest_runs(queue):
    job = queue.submit("echo $EHPC_ARRAY_TASK_ID >> runs; sleep 74", "--array=1-3")
    last = queue.submit("exit 5")
    wait_for(lambda: len(queue.processes("74")) == 2, what="two tasks")
    queue.clear()
    states = wait_for(lambda: (s := queue.states(job)).get("3") == "RUNNING" and s, what="the third task")
    assert (states["1"], states["2"]) == ("NODE_FAILED", "NODE_FAILED")
    assert queue.wait(last)["exit_code"] == "5"
    wait_for(lambda: len(queue.file("runs").split()) == 3, what="three lines")
    assert sorted(queue.file("runs").split()) == ["1", "2", "3"]


def test_the_script_dead_beside_its_shepherd_is_not_mistaken(queue):
    """What is left of a session is known by its environment once its leader is gone."""
    job = queue.submit("sleep 75 & sleep 76 & wait")
    wait_for(lambda: queue.processes("75") and queue.processes("76"), what="the job's processes")
    shepherd = queue.processes("_shepherd")[0]
    os.kill(shepherd, signal.SIGSTOP)
    leader = next(pid for pid in queue.processes() if os.getsid(pid) == pid and pid not in (shepherd, queue.manager()))
    queue.kill(leader)
    queue.kill(shepherd)
    assert queue.wait(job)["state"] == "NODE_FAILED"
    wait_for(lambda: not queue.processes("75") + queue.processes("76"), what="the end of what was left")


@pytest.mark.parametrize("_", range(3))
def test_a_manager_killed_while_it_starts_tasks(queue, _):
    job = queue.submit("echo $EHPC_ARRAY_TASK_ID >> runs", "--array=1-12")
    for _kill in range(3):
        queue.kill(*queue.processes("_manager"))
        queue.entries()
    queue.wait_all(job)
    assert sorted(queue.file("runs").split(), key=int) == [str(n) for n in range(1, 13)], "each task once"
    assert queue.states(job) == {"1-12": "FINISHED"}


def test_a_restart_of_the_machine_is_told_from_a_death(queue):
    from ehpc_jupyter.localq.database import Database

    job = queue.submit("sleep 60")
    queue.wait(job, "RUNNING")
    queue.clear()
    database = Database(queue.home)
    database.execute("UPDATE tasks SET boot = 'an earlier one'")
    database.close()
    queue.entries()
    assert queue.wait(job)["reason"] == "the machine was restarted while it ran"


def test_shutdown_tells_a_shepherd(queue):
    job = queue.submit("trap 'echo saved; exit 0' TERM; echo here; sleep 60 & wait", "--output=out")
    assert queue.file("out") == "here\n"
    os.kill(queue.processes("_shepherd")[0], signal.SIGTERM)
    entry = queue.wait(job)
    assert (entry["state"], entry["exit_code"]) == ("NODE_FAILED", "0")
    assert "shutting down" in entry["reason"]
    assert queue.file("out") == "here\nsaved\n"


def test_a_manager_that_is_told_to_end_leaves_the_jobs_alone(queue):
    job = queue.submit(f"{queue.gate()}; exit 8")
    queue.wait(job, "RUNNING")
    os.kill(queue.manager(), signal.SIGTERM)
    wait_for(lambda: not queue.processes("_manager"), what="the manager's end")
    queue.open_gate()
    assert queue.wait(job)["exit_code"] == "8"


def test_twenty_at_once_get_one_manager(queue):
    script = queue.script("#!/bin/sh\nexit 0\n")
    processes = [queue.start("submit", "--name", f"n{number}", script) for number in range(20)]
    questions = [queue.start(verb) for verb in ("status", "queues", "status", "queues") for _ in range(3)]
    answers = [process.communicate(timeout=60) for process in processes]
    assert {error for _, error in answers + [question.communicate(timeout=60) for question in questions]} == {""}
    assert sorted(int(out.split()[-1]) for out, _ in answers) == list(range(1, 21))
    assert [e["state"] for e in queue.wait_all(*map(str, range(1, 21)))] == ["FINISHED"] * 20
    assert queue.manager()
    assert (queue.home / "manager.log").read_text().count("manager: here") == 1


def test_it_leaves_when_idle_and_comes_back(queue):
    queue.environ["EHPC_LOCALQ_IDLE_S"] = "0.2"
    for _ in range(3):
        job = queue.submit("true")
        wait_for(lambda: not queue.processes(), what="the end of all processes")
        assert queue.wait(job)["state"] == "FINISHED"
    held = queue.submit("true", "--hold")
    assert queue.states(held) == {None: "HELD"}
    assert queue.processes() == [], "what is held needs no manager"
    queue.ok("release", held)
    queue.wait(held, "FINISHED")


def test_the_moment_of_leaving_loses_no_job(queue):
    queue.environ["EHPC_LOCALQ_IDLE_S"] = "0"
    for _ in range(12):
        job = queue.submit("true")
    wait_for(lambda: not queue.processes(), what="the end of all processes")
    assert {entry["state"] for entry in queue.entries()} == {"FINISHED"}
    assert len(queue.entries()) == int(job) == 12


def test_no_pipe_of_the_submitter_stays_open(queue):
    """Whoever reads a command's output to its end would wait for the manager's end otherwise."""
    read, write = os.pipe()
    os.set_inheritable(write, True)
    process = queue.start("submit", queue.script("#!/bin/sh\nsleep 60\n"), close_fds=False)
    os.close(write)
    assert process.communicate(timeout=20)[0] == "Submitted batch job 1\n"
    assert os.read(read, 1) == b"", "at its end: nobody holds the other side"
    os.close(read)
    for name in ("_manager", "_shepherd"):
        pid = wait_for(lambda: queue.processes(name), what=name)[0]  # noqa: B023 - called at once
        assert os.readlink(f"/proc/{pid}/cwd") == "/"  # noqa: PTH115
        assert os.getsid(pid) == pid


def test_a_limit_of_descriptors_in_the_billions_is_no_trouble(queue):
    text = 'ulimit -n 1048576 2>/dev/null; exec "$@"'
    argv = ["/bin/sh", "-c", text, "sh", *queue.program, "submit", queue.script("#!/bin/sh\n")]
    done = subprocess.run(argv, env=queue.environ, cwd=queue.work, capture_output=True, timeout=20, check=True)
    assert done.stdout == b"Submitted batch job 1\n"
    queue.wait("1", "FINISHED")


def test_a_shepherd_that_cannot_begin_is_tried_three_times(queue):
    queue.environ["EHPC_LOCALQ_KILL_WAIT_S"] = "wrong"
    entry = queue.wait(queue.submit("true"))
    assert entry["state"] == "NODE_FAILED"
    assert entry["reason"].startswith("the process that starts it died 3 times; see manager.log in ")
    assert "EHPC_LOCALQ_KILL_WAIT_S is 'wrong'" in (queue.home / "manager.log").read_text()


def test_the_log_stays_small(queue):
    queue.submit("true", "--hold")
    (queue.home / "manager.log").write_text("x" * 1_000_001)
    (queue.home / "manager.log").chmod(0o600)
    queue.wait(queue.submit("true"))
    assert (queue.home / "manager.log").stat().st_size < 10_000
    assert (queue.home / "manager.log.1").stat().st_size == 1_000_001

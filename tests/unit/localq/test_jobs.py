"""Jobs on a real queue, from submission to their end."""

import json
import os
import pwd
import signal
import sys
from pathlib import Path

import pytest

from ehpc_jupyter.localq.database import Database
from tests.conftest import wait_for

IGNORES_TERM = "trap '' TERM; echo ready; while :; do sleep 60; done"


def test_exit_codes_and_times(queue):
    good, bad = queue.submit("exit 0", "--token=t 1"), queue.submit("exit 3", "--time=60")
    entry = queue.wait(good)
    assert (entry["state"], entry["exit_code"], entry["token"], entry["queue"]) == ("FINISHED", "0", "t 1", "default")
    assert int(entry["submit_time"]) <= int(entry["start_time"]) <= int(entry["end_time"])
    assert entry["node_list"] == os.uname().nodename
    entry = queue.wait(bad)
    assert (entry["state"], entry["exit_code"], entry["wall_time_s"]) == ("FAILED", "3", "60")
    assert "reason" not in entry
    assert "signal" not in entry


def test_death_by_a_signal_is_no_exit_code(queue):
    jobs = [queue.submit(f"kill -{name} $$") for name in ("SEGV", "KILL")]
    entries = [queue.wait(job) for job in jobs]
    assert [(e["state"], e["signal"], e.get("exit_code")) for e in entries] == [
        ("FAILED", "11", None),
        ("FAILED", "9", None),
    ]
    assert entries[0]["reason"] == "ended by SIGSEGV (11)"
    assert "memory" in entries[1]["reason"]


def test_what_a_job_finds(queue):
    program = (
        f"#!{sys.executable}\nimport json, os, signal, sys\n"
        "print(json.dumps([dict(os.environ), sys.argv, os.getcwd(), os.getpgid(0) == os.getpid() == os.getsid(0)]))\n"
        "print(sorted(os.listdir('/proc/self/fd')), open('/proc/self/status').read().split('SigIgn:')[1].split()[0])\n"
    )
    script = queue.script(program)
    queue.environ |= {"JUPYTER_TOKEN": "hush", "MINE": "a\nb=ü", "CUDA_VISIBLE_DEVICES": "as submitted"}
    (queue.work / "sub folder").mkdir()
    answer = queue.ok("submit", "--chdir=sub folder", "--name=näme", "--output=%j.out", "--cores=2", script)
    job = answer.split()[-1]
    assert queue.wait(job)["exit_code"] == "0"
    first, second = queue.file(f"{job}.out").splitlines()
    environ, argv, folder, leads = json.loads(first)
    assert (argv, folder, leads) == ([script], str(queue.work / "sub folder"), True)
    assert environ["MINE"] == "a\nb=ü"
    assert environ["CUDA_VISIBLE_DEVICES"] == "as submitted"
    assert "JUPYTER_TOKEN" not in environ
    assert "EHPC_ARRAY_TASK_ID" not in environ
    named = ("EHPC_JOB_ID", "EHPC_JOB_NAME", "EHPC_CORES", "EHPC_NODELIST", "PWD")
    assert [environ[name] for name in named] == [job, "näme", "2", os.uname().nodename, folder]
    # The descriptor 3 is that of listdir itself. Python ignores SIGPIPE (bit 12) and SIGXFSZ (24) in its own process.
    # Signals 32 and 33 are the C library's own: make leaves them ignored in whatever it starts.
    descriptors, _, ignored = second.rpartition(" ")
    assert (descriptors, int(ignored, 16) & 0x7FFFFFFF) == ("['0', '1', '2', '3']", 0x01001000)


def test_stored_environment_goes_with_the_job(queue):
    queue.environ |= {"JPY_API_TOKEN": "hush1", "SOME_KEY": "hush2"}
    job = queue.submit(queue.gate())
    database = Database(queue.home)
    stored = database.execute("SELECT environment FROM jobs").fetchone()[0]
    assert b"SOME_KEY=hush2" in stored
    assert b"hush1" not in stored
    queue.open_gate()
    queue.wait(job)
    assert database.execute("SELECT environment FROM jobs").fetchone()[0] is None
    database.close()


def test_output_files(queue):
    os.umask(0o027)
    try:
        job = queue.submit("echo out; echo err >&2", "--output=o-%A-%%.txt", "--error=e-%j")
    finally:
        os.umask(0o022)
    queue.wait(job)
    assert queue.file(f"o-{job}-%.txt") == "out\n"
    assert queue.file(f"e-{job}") == "err\n"
    assert (queue.work / f"e-{job}").stat().st_mode & 0o777 == 0o640
    (queue.work / "both").write_text("old\n" * 100)
    queue.wait(queue.submit("echo 1; echo 2 >&2; echo 3", "--output=both"))
    assert queue.file("both") == "1\n2\n3\n"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            ["--output={}/absent/x"],
            "the file {}/absent/x for standard output cannot be made: its folder {}/absent does not",
        ),
        (["--error={}"], "the file {} for standard error cannot be written: Is a directory"),
        (["--chdir={}/absent", "--output=/dev/null"], "the working folder {}/absent does not exist"),
        (["--chdir={}/file", "--output=/dev/null"], "the working folder {}/file cannot be entered: Not a directory"),
    ],
)
def test_what_keeps_a_job_from_starting_is_named(queue, options, reason):
    (queue.work / "file").touch()
    entry = queue.wait(queue.submit("true", *(option.format(queue.work) for option in options)))
    assert entry["state"] == "FAILED"
    assert entry["reason"].startswith("it could not be started: " + reason.replace("{}", str(queue.work)))
    assert "exit_code" not in entry


def test_scripts_of_all_kinds(queue):
    python = f"#!{sys.executable} -I\nimport sys; sys.exit(5)\n"
    wanted = {
        queue.script(python, mode=0o644): ("5", None),
        queue.script("exit 6\n"): ("6", None),
        queue.script("exit 7\n", mode=0o600): ("7", None),
        queue.script(""): ("0", None),
        queue.script("#!/absent/python\n"): (None, "interpreter"),
        queue.script("#!/absent/python\n", mode=0o600): (None, "the interpreter /absent/python of the script"),
    }
    for path, (code, words) in wanted.items():
        entry = queue.wait(queue.ok("submit", path).split()[-1])
        assert entry.get("exit_code") == code, path
        assert words is None or words in entry["reason"]
    gone = queue.script("true")
    job = queue.ok("submit", "--hold", gone).split()[-1]
    Path(gone).unlink()
    queue.ok("release", job)
    assert queue.wait(job)["reason"] == f"it could not be started: the script {gone} does not exist"


def test_a_wall_time_ends_what_ignores_term(queue):
    job = queue.submit(IGNORES_TERM, "--time=1", "--output=out")
    assert queue.file("out") == "ready\n"
    entry = queue.wait(job)
    assert (entry["state"], entry["signal"]) == ("TIMEOUT", "9")
    assert entry["reason"] == "it ran for its whole wall time of 1 s"


def test_a_wall_time_lets_a_script_end_itself(queue):
    job = queue.submit("trap 'echo bye; exit 4' TERM; sleep 60 & wait", "--time=1", "--output=out")
    entry = queue.wait(job)
    assert (entry["state"], entry["exit_code"]) == ("TIMEOUT", "4")
    assert queue.file("out") == "bye\n"


def test_stop_a_running_job_with_all_its_processes(queue):
    # set -m: what it starts in the background has a process group of its own, as with an MPI launcher
    started = f"""exec bash -c 'set -m; sh -c "$1" & sleep 77 & wait' - "{IGNORES_TERM}" """
    job = queue.submit(started, "--output=out")
    assert queue.file("out") == "ready\n"
    wait_for(lambda: queue.processes("77"), what="the second process")
    queue.ok("stop", job)
    assert queue.wait(job)["state"] == "CANCELLED"
    assert not queue.processes("77")
    assert not queue.processes("sleep")
    queue.ok("stop", job)


def test_what_a_script_leaves_behind_ends_with_it(queue):
    job = queue.submit("sleep 78 & trap '' TERM; sleep 79 & exit 0")
    entry = queue.wait(job)
    assert (entry["state"], entry["exit_code"]) == ("FINISHED", "0")
    assert not queue.processes("78")
    assert not queue.processes("79")


def test_stop_reaches_a_stopped_process(queue):
    job = queue.submit("echo here; kill -STOP $$", "--output=out")
    assert queue.file("out") == "here\n"
    queue.ok("stop", job)
    assert queue.wait(job)["state"] == "CANCELLED"


def test_stop_of_waiting_and_unknown_jobs(queue):
    job = queue.submit("true", "--hold")
    array = queue.submit("true", "--hold", "--array=1-5")
    done = queue.run("stop", "99", job, "x", "1_3", f"{array}_2,4", f"{array}_6")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "localq: there is no job 99",
        "localq: 'x' is no job id",
        "localq: job 1 is no array: it has no task 3",
        f"localq: job {array}: there is no task 6; its tasks are 1-5",
    ]
    entry = queue.wait(job, "CANCELLED")
    assert int(entry["end_time"]) >= int(entry["submit_time"])
    assert "start_time" not in entry
    assert queue.states(array) == {"1,3,5": "HELD", "2,4": "CANCELLED"}
    queue.ok("stop", array)
    assert queue.states(array) == {"1-5": "CANCELLED"}


def test_who_stopped_it_is_told(queue):
    queue.environ["EHPC_LOCALQ_CORES"] = "1"
    me = pwd.getpwuid(os.getuid()).pw_name
    array = queue.submit("sleep 60", "--array=1-3")
    queue.wait(array, "RUNNING", task="1")
    queue.ok("stop", array)
    entries = queue.wait_all(array)
    assert {entry["state"]: entry["reason"] for entry in entries} == {"CANCELLED": f"cancelled by {me}"}
    ended = queue.submit("true")
    queue.wait(ended)
    queue.ok("stop", ended)
    assert "reason" not in queue.entries(ended)[0]


def test_memory_of_the_largest_process_is_told(queue):
    text = f"{sys.executable} -c 'b = bytearray(200 * 1024**2)'; exit 3"
    plain, array = queue.submit(text), queue.submit(text, "--array=1-2")
    small, gone = queue.submit("exit 0"), queue.submit("true", "--chdir=/absent", "--output=/dev/null")
    entries = [queue.wait(plain), *queue.wait_all(array)]
    assert [200 <= int(entry["memory_peak_mb"]) < 260 for entry in entries] == [True] * 3
    # A shell that needs less than the process that watches over it: its own share is not known.
    assert ["memory_peak_mb" in queue.wait(job) for job in (small, gone)] == [False, False]


def test_memory_of_tasks_that_are_told_of_together(queue):
    text = f'{sys.executable} -c "b = bytearray($EHPC_ARRAY_TASK_ID * 50 * 1024**2)"'
    array = queue.submit(text, "--array=1-2")
    entry = queue.wait(array, "FINISHED", task="1-2")
    assert 100 <= int(entry["memory_peak_mb"]) < 150


def test_cores_are_not_given_twice_and_priority_goes_first(queue):
    gate = queue.gate()
    first = queue.submit(f"{gate}; echo first >> order", "--cores=2")
    queue.wait(first, "RUNNING")
    jobs = [
        queue.submit(f"echo {name} >> order", "--cores=2", f"--priority={priority}")
        for name, priority in (("low", 1), ("middle", 5), ("high", 9), ("high2", 9))
    ]
    assert [queue.entries(job)[0]["reason"] for job in jobs] == ["Resources"] * 4
    queue.open_gate()
    for job in jobs:
        queue.wait(job, "FINISHED")
    assert queue.file("order").split() == ["first", "high", "high2", "middle", "low"]


def test_memory_is_shared_out(queue):
    queue.environ["EHPC_LOCALQ_CORES"] = "4"
    first = queue.submit(queue.gate(), "--memory-mb=600")
    queue.wait(first, "RUNNING")
    second = queue.submit("true", "--memory-mb=500")
    third = queue.submit("true", "--memory-mb=400")
    queue.wait(queue.submit("true"), "FINISHED")
    assert [queue.entries(job)[0]["reason"] for job in (second, third)] == ["Resources", "Priority"]
    queue.open_gate()
    queue.wait(second, "FINISHED")


def test_each_job_has_gpus_of_its_own(queue):
    queue.environ["EHPC_LOCALQ_GPUS"] = "2,GPU-a,7"
    gates = [queue.gate("gate1"), queue.gate("gate2")]
    show = "echo $EHPC_GPUS $CUDA_VISIBLE_DEVICES >> gpus"
    one = queue.submit(f"{show}; {gates[0]}", "--gpus=1")
    queue.wait(one, "RUNNING")
    two = queue.submit(f"{show}; {gates[1]}", "--gpus=2")
    queue.wait(two, "RUNNING")
    wait_for(lambda: len(queue.file("gpus").splitlines()) == 2, what="both lines")
    assert queue.file("gpus") == "1 2\n2 GPU-a,7\n"
    three = queue.submit(show, "--gpus=1")
    assert queue.entries(three)[0]["reason"] == "Resources"
    queue.open_gate("gate1")
    queue.wait(three, "FINISHED")
    assert queue.file("gpus").splitlines()[2] == "1 2"
    queue.open_gate("gate2")


def test_old_jobs_leave_the_list_and_then_the_memory(queue):
    job = queue.submit("true")
    end = int(queue.wait(job)["end_time"])
    database = Database(queue.home)
    database.execute("UPDATE jobs SET ended = ?", (end - 700,))
    assert queue.entries() == []
    assert queue.entries(job, "99")[0]["state"] == "FINISHED"
    database.execute("UPDATE jobs SET ended = ?", (end - 8 * 24 * 3600,))
    os.kill(queue.manager(), signal.SIGTERM)
    wait_for(lambda: not queue.processes("_manager"), what="the manager's end")
    assert queue.submit("true") == str(int(job) + 1), "no id is given twice"
    wait_for(lambda: queue.entries(job) == [], what="the old job forgotten")
    database.close()


def test_names_of_all_kinds(queue):
    for name in ('it\'s "quoted"', "two\nlines\x1f\\x0a", "grüße 你好\u2028", "-x --hold", "=", "100%"):
        job = queue.submit(
            "printf '%s.' \"$EHPC_JOB_NAME\" > name; echo . >> name", f"--name={name}", f"--token={name}"
        )
        assert queue.wait(job)["name"] == name
        assert queue.file("name") == f"{name}..\n"
        entry = queue.entries(job)[0]
        escaped = name.replace("\\", r"\x5c").replace("\n", r"\x0a").replace("\x1f", r"\x1f")
        assert (entry["name"], entry["token"]) == (escaped, escaped)


def test_folders_of_all_kinds(queue):
    folder = queue.work / 'it\'s a "ü" folder\nwith lines %j'
    folder.mkdir()
    job = queue.submit("pwd > out", f"--chdir={folder}", f"--output={str(folder).replace('%', '%%')}/stdout")
    assert queue.wait(job)["state"] == "FINISHED"
    assert (folder / "out").read_text() == f"{folder}\n"
    assert (folder / "stdout").exists()

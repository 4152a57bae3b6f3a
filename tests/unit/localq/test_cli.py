"""The command line: what it says, and what it refuses."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ehpc_jupyter.localq import VERSION
from ehpc_jupyter.localq.cli import FIELD


def test_version(queue):
    assert queue.ok("version") == f"localq {VERSION}\n"
    assert not queue.home.exists(), "a question makes nothing"


def test_questions_before_the_first_job(queue):
    assert queue.ok("status", "--parsable") == ""
    assert queue.ok("status") == "JOB  TASKS  STATE  EXIT_CODE  NAME  REASON\n"
    assert "idle_nodes=1" in queue.ok("queues", "--parsable")
    assert queue.refused("stop", "1") == "localq: there is no job 1\n"
    assert not queue.home.exists()


def test_the_queue(queue):
    queue.environ["EHPC_LOCALQ_GPUS"] = "2"
    fields = [
        "name=default",
        "is_default=1",
        "state=UP",
        "idle_nodes=1",
        f"node={os.uname().nodename}",
        "cores=2",
        "memory_mb=1000",
        "gpus=2",
        "nodes=1",
    ]
    assert queue.ok("queues", "--parsable") == FIELD.join(fields) + "\n"
    job = queue.submit(queue.gate())
    queue.wait(job, "RUNNING")
    assert "idle_nodes=0" in queue.ok("queues", "--parsable")
    queue.open_gate()


def test_a_table_for_people(queue):
    job = queue.submit("exit 2", "--name=a\tname")
    queue.wait(job)
    assert queue.ok("status") == (
        "JOB  TASKS  STATE   EXIT_CODE  NAME       REASON\n1           FAILED  2          a\\x09name\n"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cores=3"], "3 cores asked for, this machine has 2"),
        (["--memory-mb=1001"], "1001 MB of memory asked for, this machine has 1000"),
        (["--gpus=1"], "1 GPU asked for, this machine has 0"),
        (["--nodes=2"], "2 nodes asked for; this queue has one node, this machine"),
        (["--queue=big"], "there is no queue 'big'; the only one is default"),
        (["--array=5-1"], "the range '5-1' is empty; write first-last:step, for instance 1-5:2"),
    ],
)
def test_refusals_name_the_amount(queue, options, words):
    assert queue.refused("submit", *options, queue.script("")) == f"localq: {words}\n"
    assert queue.ok("status", "--parsable") == ""


def test_a_script_must_be_there(queue):
    assert queue.refused("submit", "absent") == f"localq: there is no script {queue.work}/absent\n"
    assert queue.refused("submit", ".") == f"localq: there is no script {queue.work}\n"


def asked(queue, *options, **more):
    """What the queue says to a job that it is only asked about."""
    answer = queue.ok("submit", "--test-only", "--parsable", *options, **more)
    return dict(field.split("=", 1) for field in answer.rstrip("\n").split(FIELD))


def test_a_job_is_asked_about_before_there_is_a_queue(queue):
    before = int(time.time())
    found = asked(queue, "--array=1-5", "--output=/absent/x")
    assert before <= int(found.pop("start_time")) <= time.time()
    assert found == {"words": "it would start now", "node": os.uname().nodename}
    assert "start_time" not in asked(queue, "--hold")
    assert queue.refused("submit", "--test-only", "--cores=3") == "localq: 3 cores asked for, this machine has 2\n"
    words = "localq: it cannot wait for ok:1: there is no job 1\n"
    assert queue.refused("submit", "--test-only", "--after=ok:1") == words
    assert queue.ok("submit", "--test-only", queue.script("")) == "it would start now\n"
    assert not queue.home.exists(), "a question makes nothing"


def test_a_job_is_asked_about_while_others_run(queue):
    first = queue.submit(f"{queue.gate()}; exit 0")
    queue.wait(first, "RUNNING")
    queue.submit("true", "--cores=2", "--priority=7")
    unknown = {"words": "it would wait; when it would start is not known", "node": os.uname().nodename}
    assert asked(queue, "--cores=2") == unknown
    assert asked(queue, "--priority=7") == unknown, "one of the same priority is there before it"
    assert "start_time" in asked(queue, "--priority=8")
    assert asked(queue, "--priority=8", f"--after=ok:{first}") == unknown
    assert len(queue.entries()) == 2
    queue.open_gate()
    queue.wait("2", "FINISHED")
    assert "start_time" in asked(queue, "--cores=2", f"--after=ok:{first}")
    assert asked(queue, f"--after=notok:{first}") == unknown


def test_a_script_in_standard_input_is_left_alone(queue):
    text = queue.work / "text"
    text.write_text("#!/bin/sh\necho hush\n" * 10_000)
    with text.open() as stdin:
        asked(queue, stdin=stdin)
    queue.submit("true", "--hold")
    with text.open() as stdin:
        asked(queue, stdin=stdin)
    assert not any(b"hush" in path.read_bytes() for path in queue.home.iterdir())


def test_text_that_is_no_utf8(queue):
    done = queue.run("submit", b"--name=\xff", queue.script(""))
    assert (done.returncode, done.stderr) == (1, "localq: b'\\xff' is no UTF-8 text\n")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["sub"],
        ["submit"],
        ["submit", "--cores=0", "x"],
        ["submit", "--priority=10", "x"],
        ["submit", "--time=0", "x"],
        ["submit", "--core=1", "x"],
        ["stop"],
        ["status", "x"],
    ],
)
def test_misuse_ends_with_2_and_says_how(queue, words):
    done = queue.run(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m ehpc_jupyter.localq")


def test_help(queue):
    assert "priorities, arrays, wall time" in queue.ok("--help").replace("\n", " ")
    text = queue.ok("submit", "--help")
    for option in ("--cores", "--array X-Y:Z", "--time SECONDS", "%j: job id", "--gpus"):
        assert option in text


def test_nothing_of_the_current_folder_is_imported(queue):
    for name in ("sqlite3.py", "argparse.py", "json.py", "ehpc_jupyter.py", "sitecustomize.py"):
        (queue.work / name).write_text("raise SystemExit('imported from the current folder')")
    queue.environ |= {"PYTHONPATH": str(queue.work), "PYTHONSTARTUP": "sqlite3.py", "PYTHONHOME": "/absent"}
    assert queue.wait(queue.submit("exit 0"))["state"] == "FINISHED"


def test_it_is_the_standard_library_and_itself(queue):
    """Every command starts a process: what it imports is what it costs."""
    package = Path(queue.program[-1]).parent
    modules = ",".join(f"ehpc_jupyter.localq.{path.stem}" for path in package.glob("[!_]*.py"))
    code = f"import sys; sys.path.append({str(package.parents[1])!r}); import {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    others = {name.partition(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names
    assert others <= {"ehpc_jupyter", "__main__"}
    ours = {name for name in done.stdout.split() if name.startswith("ehpc_jupyter.")}
    assert {name for name in ours if not name.startswith("ehpc_jupyter.localq")} == set()


def test_a_locale_that_knows_no_umlauts(queue):
    queue.environ |= {"LC_ALL": "C", "LANG": "C"}
    assert queue.wait(queue.submit("exit 0", "--name=grün"))["name"] == "grün"


def test_a_folder_for_nobody_else(queue):
    queue.home.mkdir(mode=0o755)
    queue.wait(queue.submit("true"))
    assert stat.S_IMODE(queue.home.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_used(queue):
    queue.environ["EHPC_LOCALQ_HOME"] = str(queue.work / "file")
    (queue.work / "file").touch()
    assert queue.refused("submit", queue.script("")) == (
        f"localq: the queue's folder {queue.work}/file cannot be used: File exists\n"
    )


def test_a_database_that_is_none(queue):
    queue.submit("true", "--hold")
    (queue.home / "queue.sqlite3").write_bytes(b"not a database" * 100)
    for name in ("queue.sqlite3-wal", "queue.sqlite3-shm"):
        (queue.home / name).unlink(missing_ok=True)
    words = queue.refused("status")
    assert words == f"localq: the queue's database {queue.home}/queue.sqlite3 cannot be used: file is not a database\n"


def test_a_database_of_another_version(queue):
    from ehpc_jupyter.localq.database import Database

    queue.submit("true", "--hold")
    database = Database(queue.home)
    database.execute("PRAGMA user_version = 7")
    database.close()
    assert "another version of this program (7, not 1)" in queue.refused("status")


def test_a_reader_that_leaves(queue):
    queue.submit("true", "--hold")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*queue.program, "status"], stdout=write, stderr=subprocess.PIPE, env=queue.environ, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")

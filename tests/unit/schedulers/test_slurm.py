"""Slurm's text, as captured from a real one (22.05.8); the expectations are written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ehpc_jupyter.errors import AgentError, EhpcError, ListFailure, ServiceUnavailable, StopFailure, SubmitFailure
from ehpc_jupyter.models.job import JobState, Occupied
from ehpc_jupyter.models.spec import JobSpec
from ehpc_jupyter.schedulers.base import CommandResult, Submission, expand_path, with_task
from ehpc_jupyter.schedulers.nodes import names_node
from ehpc_jupyter.schedulers.slurm import SlurmScheduler
from ehpc_jupyter.schedulers.slurm_jobs import STATES
from ehpc_jupyter.schedulers.slurm_site import (
    allotted,
    count_gpus,
    count_tasks,
    occupied,
    parse_duration,
    parse_memory_mb,
)

CASES = json.loads((Path(__file__).parent / "transcripts" / "slurm-submit.json").read_text())
SLURM = SlurmScheduler()


def said(stdout="", stderr="", exit_code=0):
    return CommandResult(("x",), exit_code, stdout, stderr)


def submission(**spec):
    paths = {"folder": "/h/f", "script": "/h/f/job.sh", "stdout": "/h/f/stdout", "stderr": "/h/f/stderr"}
    wire = JobSpec.from_wire({"CommandLine": "-- /bin/true", **spec})
    return Submission(spec=wire, name="n", work_dir="/h", token="tok", **paths)


@pytest.mark.parametrize("case", [c for c in CASES if c["command"].startswith("sbatch")], ids=lambda c: c["case"])
def test_every_captured_refusal_reaches_the_user_in_slurms_words(case):
    stdout = case["stdout"].replace("Submitted batch job ", "")
    result = said(stdout, case["stderr"], case["exit_code"])
    if case["exit_code"] == 0 and stdout.strip().isdecimal():
        assert SLURM.parse_submit(result) == stdout.strip()
    else:
        with pytest.raises(EhpcError) as failure:
            SLURM.parse_submit(result)
        for line in case["stderr"].splitlines():
            assert line.strip() in failure.value.detail


def test_id_of_a_federated_cluster():
    assert SLURM.parse_submit(said("12;lab\n")) == "12"


def test_no_answer_of_the_controller_is_no_refusal():
    words = "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)"
    with pytest.raises(ServiceUnavailable, match="Unable to contact"):
        SLURM.parse_submit(said("", words, 1))
    with pytest.raises(SubmitFailure):
        SLURM.parse_submit(said("", "sbatch: Job 12 to start at 2026-01-01T00:00:00", 0))


@pytest.mark.parametrize("text", ["", "garbage", "Welcome"])
def test_success_without_an_id_is_no_refusal(text):
    """A site's wrapper, ``#SBATCH --quiet``: there may be a job."""
    with pytest.raises(ServiceUnavailable):
        SLURM.parse_submit(said(text))


def test_what_a_sites_wrapper_prints_is_passed_over():
    assert SLURM.parse_submit(said("Charging project 7\n4711\n")) == "4711"


def test_a_name_with_the_separator_in_it():
    (report,) = SLURM.parse_status(said(queued(name="a\x1fb")))
    assert report.name == "a\x1fb"


def test_every_field_becomes_its_option():
    argv = SLURM.submit_command(
        submission(
            WallTime="360:48:50",
            Priority="7",
            ArrayRequest="1-5:2",
            JobQueue="comp",
            WorkDir="/w",
            Resources={"Nodes": 2, "Cores": 2, "Memory": "4gb", "Gpus": 1},
        )
    )
    assert argv == (
        "sbatch",
        "--parsable",
        "--job-name=n",
        "--output=/h/f/stdout.%a",
        "--error=/h/f/stderr.%a",
        "--comment=tok",
        "--chdir=/h",
        "--partition=comp",
        "--time=360:48:50",
        "--array=1-5:2",
        "--nice=200",
        "--nodes=2",
        "--ntasks-per-node=1",
        "--cpus-per-task=2",
        "--mem=4096M",
        "--gres=gpu:1",
        "/h/f/job.sh",
    )


def test_nothing_asked_for_is_nothing_said():
    assert len(SLURM.submit_command(submission())) == 7


def record(*fields):
    return "\x1f".join(fields) + "\x1e\n"


def queued(
    job="10", tasks="N/A", state="PENDING", reason="Priority", name="a b|c\nd", nodes="", given=("1", "1", "N/A")
):
    times = ("1700000000", "1700000100", "N/A", "15-00:49:00")
    return record(job, tasks, state, reason, "comp", "me", nodes, *times, *given, "tok", name)


def test_queue_of_jobs_and_tasks():
    text = (
        queued()
        + queued(tasks="1,3,5-9:2%4")
        + queued(tasks="2", state="RUNNING", reason="None", nodes="node1")
        + queued(reason="JobHeldUser")
    )
    whole, waiting, running, held = SLURM.parse_status(said(text))
    assert (whole.state, whole.reason, whole.name, whole.token) == (JobState.QUEUED, "Priority", "a b|c\nd", "tok")
    assert (whole.submit_time, whole.start_time, whole.wall_time_s) == (1700000000, None, 1298940)
    assert (waiting.tasks, waiting.count) == ("1,3,5-9:2%4", 5)
    assert (running.tasks, running.state, running.start_time, running.reason) == (
        "2",
        JobState.RUNNING,
        1700000100,
        None,
    )
    assert held.state is JobState.HELD


@pytest.mark.parametrize("text", ["garbage", queued()[:-5], queued() + "half", record("1", "2"), "Hi\n" + queued()])
def test_an_answer_that_is_not_whole_is_not_used(text):
    with pytest.raises(ListFailure):
        SLURM.parse_status(said(text))


def test_an_empty_queue_is_an_answer():
    assert SLURM.parse_status(said("")) == []


def test_a_controller_that_is_down_is_no_answer():
    with pytest.raises(ServiceUnavailable):
        SLURM.parse_status(said("", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)", 1))


def test_a_state_that_nobody_knows_is_unknown():
    (report,) = SLURM.parse_status(said(queued(state="HIBERNATING")))
    assert (report.state, report.native_state) == (JobState.UNKNOWN, "HIBERNATING")


def test_every_state_maps_to_a_state():
    # squeue(1), JOB STATE CODES.
    manual = """BOOT_FAIL CANCELLED COMPLETED CONFIGURING COMPLETING DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PENDING PREEMPTED
    RUNNING RESV_DEL_HOLD REQUEUE_FED REQUEUE_HOLD REQUEUED RESIZING REVOKED SIGNALING SPECIAL_EXIT STAGE_OUT STOPPED SUSPENDED
    TIMEOUT"""
    assert set(manual.split()) == set(STATES)


def test_accounting():
    given = "billing=4,cpu=4,gres/gpu=2,mem=8G,node=2"
    line = "\x1f".join(("10_3", "CANCELLED by 20001", "0:15", "comp", "me", "node1", "1", "2", "3", "60", given, ""))
    step = "\x1f".join(("10_3.batch", "CANCELLED", "0:15", "", "", "node1", "1", "2", "3", "", given, "40960K"))
    (report,) = SLURM.parse_history(said(f"{line}\n{step}\n"))
    assert report.memory_peak_mb == 40
    assert (report.job_id, report.tasks, report.state) == ("10", "3", JobState.CANCELLED)
    assert (report.exit_code, report.signal, report.reason, report.wall_time_s) == (0, 15, "cancelled by 20001", 3600)
    assert report.occupied == Occupied(nodes=2, cores=2, memory_mb=4096, gpus=1)


def test_what_a_job_was_given():
    text = queued() + queued(state="RUNNING", nodes="node[1-2]", given=("2", "8", "gres/gpu:a100:2"))
    waiting, running = SLURM.parse_status(said(text))
    assert waiting.occupied is None
    assert running.occupied == Occupied(nodes=2, cores=4, gpus=2)
    assert occupied("3", "8", "N/A") == Occupied(nodes=3, cores=None, gpus=0)
    assert (occupied("", "", ""), allotted("")) == (None, None)


def test_nodes_have_their_queues_and_what_is_wrong_with_them():
    rows = [
        ("node10", "comp*", "idle", "16", "65536", "gpu:2", "10.0.0.10", "none"),
        ("node2", "comp*", "down*", "16", "65536", "(null)", "node2", "disk full\nagain"),
        ("node2", "debug", "down*", "16", "65536", "(null)", "node2", "disk full\nagain"),
        ("node3", "comp*", "idle~", "8", "1000", "(null)", "fd00::3", "none"),
        ("node4", "comp*", "mixed#", "8", "1000", "(null)", "node4", "none"),
        ("node5", "comp*", "drained", "8", "1000", "(null)", "node5", "Kill task failed"),
    ]
    nodes = SLURM.parse_nodes(said("".join(record(*row) for row in rows)))
    assert [(n.name, n.state) for n in nodes] == [
        ("node2", "exception"),
        ("node3", "stopped"),
        ("node4", "running"),
        ("node5", "exception"),
        ("node10", "running"),
    ]
    assert (nodes[0].queues, nodes[0].reason, nodes[0].address) == (("comp", "debug"), "disk full\nagain", None)
    assert (nodes[4].cores, nodes[4].memory_mb, nodes[4].gpus, nodes[4].address) == (16, 65536, 2, "10.0.0.10")
    assert nodes[1].address == "fd00::3"
    for text in ("garbage", record("a", "b"), record(*rows[0])[:-2]):
        with pytest.raises(AgentError):
            SLURM.parse_nodes(said(text))


@pytest.mark.parametrize(
    ("text", "name", "there"),
    [
        ("node1", "node1", True),
        ("node1", "node", False),
        ("node1,gpu2", "gpu2", True),
        ("node[1-3,07-10],gpu1", "node2", True),
        ("node[1-3,07-10],gpu1", "node08", True),
        ("node[1-3,07-10],gpu1", "node8", False),
        ("node[1-3,07-10],gpu1", "node10", True),
        ("node[1-3]", "node22", False),
        ("n[8-12]", "n10", True),
        ("rack[1-2]n[01-16]", "rack2n16", True),
        ("rack[1-2]n[01-16]", "rack2n17", False),
        ("node[1-3].site", "node3.site", True),
        ("node[1-", "node1", False),
        (None, "node1", False),
        ("", "", False),
    ],
)
def test_lists_of_nodes(text, name, there):
    assert names_node(text, name) is there


def test_a_site_without_accounting_has_no_history():
    assert SLURM.parse_history(said("", "Slurm accounting storage is disabled\n", 1)) == []
    with pytest.raises(ListFailure):
        SLURM.parse_history(said("", "sacct: error: something else\n", 1))


def test_stopping_somebody_elses_job():
    words = "scancel: error: Kill job error on job id 1: Access/permission denied"
    with pytest.raises(StopFailure, match="permission denied"):
        SLURM.parse_stop(said("", words, 210))


def test_queues():
    rows = [
        ("comp*", "up", "infinite", "3", "16", "65536", "gpu:2", "idle"),
        ("comp*", "up", "infinite", "1", "32+", "1000", "gpu:a100:4(S:0-1),x:1", "mix"),
        ("debug", "down", "30:00", "1", "16", "65536", "(null)", "down*"),
    ]
    comp, debug = SLURM.parse_queues(said("".join("\x1f".join(row) + "\n" for row in rows)))
    assert (comp.name, comp.is_default, comp.nodes, comp.idle_nodes) == ("comp", True, 4, 3)
    assert (comp.cores_per_node, comp.memory_mb_per_node, comp.gpus_per_node, comp.max_wall_time_s) == (
        32,
        65536,
        4,
        None,
    )
    assert (debug.state, debug.max_wall_time_s, debug.gpus_per_node) == ("DOWN", 1800, 0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:00:00", 3600),
        ("15-00:49:00", 1298940),
        ("30:00", 1800),
        ("1-12:30:00", 131400),
        ("UNLIMITED", None),
        ("N/A", None),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"), [("1", 1), ("1,3,5", 3), ("1-100000", 100000), ("0-9:3%2", 4), ("[1-3,7]", 4)]
)
def test_tasks_are_counted_and_not_expanded(text, count):
    assert count_tasks(text) == count


@pytest.mark.parametrize(
    ("gres", "gpus"), [("gpu:2", 2), ("gpu:a100:4(S:0-1)", 4), ("gpu:a:1,gpu:b:2", 3), ("(null)", 0)]
)
def test_gpus(gres, gpus):
    assert count_gpus(gres) == gpus


def test_output_paths():
    assert expand_path("/a/%j-%A-%a-%%x", "10", 3) == "/a/10-10-3-%x"
    assert with_task("/a/%%a", is_array=True) == "/a/%%a.%a"
    assert with_task("/a/%a", is_array=True) == "/a/%a"
    assert with_task("/a/b", is_array=False) == "/a/b"


def test_a_heterogeneous_job_is_told_of_by_its_first_part():
    rows = [
        ("12+0", "COMPLETED", "0:0", "comp", "me", "node1", "1", "2", "3", "60", "node=1,cpu=1", ""),
        ("12+0.batch", "COMPLETED", "0:0", "", "", "node1", "1", "2", "3", "", "", "2048K"),
        ("12+1", "FAILED", "1:0", "comp", "me", "node2", "1", "2", "3", "60", "node=1,cpu=1", ""),
        ("12+1.0", "FAILED", "1:0", "", "", "node2", "1", "2", "3", "", "", "9048K"),
    ]
    (report,) = SLURM.parse_history(said("".join("\x1f".join(row) + "\n" for row in rows)))
    assert (report.job_id, report.tasks, report.state) == ("12", None, JobState.FINISHED)


@pytest.mark.parametrize(
    ("text", "mb"), [("", None), ("0", None), ("40960K", 40), ("1.50M", 2), ("512", 1), ("2G", 2048), ("x", None)]
)
def test_memory_as_the_accounting_writes_it(text, mb):
    assert parse_memory_mb(text) == mb


def test_what_slurm_says_to_a_job_that_it_is_only_asked_about():
    words = "sbatch: Job 12 to start at 1700000000 using 2 processors on nodes node[1-2] in partition comp\n"
    answer = SLURM.parse_test(said(words))
    assert (answer.valid, answer.start_time, answer.node_list) == (True, 1700000000, "node[1-2]")
    refused = SLURM.parse_test(said("allocation failure: Requested node configuration is not available\n", exit_code=1))
    assert (refused.valid, refused.start_time) == (False, None)
    assert "Requested node configuration" in refused.words
    with pytest.raises(ServiceUnavailable):
        SLURM.parse_test(said("sbatch: error: Unable to contact slurm controller\n", exit_code=1))


def test_a_waiting_job_s_start_is_a_forecast():
    waiting, running = SLURM.parse_status(said(queued() + queued(state="RUNNING", nodes="n")))
    assert (waiting.start_time, waiting.expected_start_time) == (None, 1700000100)
    assert (running.start_time, running.expected_start_time) == (1700000100, None)
    (stopped,) = SLURM.parse_status(said(queued(state="CANCELLED")))
    assert stopped.start_time is None, "it never ran"

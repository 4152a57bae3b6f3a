"""The embedded queue's text, as captured from a real one; the expectations are written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ehpc_jupyter.errors import AgentError, EhpcError, ListFailure, ServiceUnavailable, StopFailure, SubmitFailure
from ehpc_jupyter.localq import database
from ehpc_jupyter.models.cluster import Queue
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.models.spec import JobSpec
from ehpc_jupyter.schedulers.base import CommandResult, JobReport, Submission, TrialAnswer
from ehpc_jupyter.schedulers.local import STATES, LocalScheduler

LOCAL = LocalScheduler("/opt/python")
STATUS = (
    "job=1|count=1|state=FAILED|exit_code=3|name=a\\x5cb\\x0ac ü|user=me|queue=default|node_list=vm|submit_time=1795375590|"
    "start_time=1795375590|end_time=1795375592|memory_peak_mb=213|token=t0k=en\n"
    "job=2|count=1|state=RUNNING|name=y|user=me|queue=default|node_list=vm|submit_time=1795375590|start_time=1795375590|"
    "wall_time_s=5400\n"
    "job=3|tasks=1,5|count=2|state=FINISHED|exit_code=0|name=z\u2028|user=me|queue=default|node_list=vm|"
    "submit_time=1795375590|start_time=1795375591|end_time=1795375591\n"
    "job=3|tasks=3|count=1|state=FAILED|reason=ended by SIGSEGV (11)|signal=11|name=z|user=me|queue=default|node_list=vm|"
    "submit_time=1795375590|start_time=1795375590|end_time=1795375591\n"
    "job=3|tasks=13-19:2|count=4|state=QUEUED|reason=Resources|name=z|user=me|queue=default|submit_time=1795375590\n"
    "job=4|count=1|state=HELD|reason=JobHeldUser|name=y|user=me|queue=default|submit_time=1795375591\n"
    "job=8|tasks=4|count=1|state=CANCELLED|reason=cancelled by me|name=x|user=me|queue=default|"
    "submit_time=1795375591|end_time=1795375594\n"
).replace("|", "\x1f")
QUEUES = "name=default|is_default=1|state=UP|idle_nodes=0|cores=8|memory_mb=32000|gpus=2|nodes=1\n".replace("|", "\x1f")


def said(stdout="", stderr="", exit_code=0):
    return CommandResult(("/opt/python",), exit_code, stdout, stderr)


def submission(name="n", **spec):
    paths = {"folder": "/h/f", "script": "/h/f/job.sh", "stdout": "/h/f/stdout", "stderr": "/h/f/stderr"}
    wire = JobSpec.from_wire({"CommandLine": "-- /bin/true", **spec})
    return Submission(spec=wire, name=name, work_dir="/h", token="tok", **paths)


def options(argv):
    """What follows the program, which is named by its path and looks at nothing of the current folder."""
    program = argv[:6]
    assert program[:5] == ("/opt/python", "-I", "-S", "-X", "utf8")
    assert program[5].endswith("/ehpc_jupyter/localq/__main__.py")
    assert Path(program[5]).is_file()
    return argv[6:]


def test_every_field_becomes_its_option():
    job = submission(
        name="-n\n--hold",
        WallTime="1:30:00",
        Priority="0",
        ArrayRequest="1-5:2",
        JobQueue="default",
        After="12,notok:13_4",
        Resources={"Nodes": 1, "Cores": 4, "Memory": "2GB", "Gpus": 0},
    )
    assert options(LOCAL.submit_command(job)) == (
        "submit",
        "--name=-n\n--hold",
        "--token=tok",
        "--queue=default",
        "--time=5400",
        "--priority=0",
        "--array=1-5:2",
        "--chdir=/h",
        "--output=/h/f/stdout.%a",
        "--error=/h/f/stderr.%a",
        "--after=ok:12,notok:13_4",
        "--nodes=1",
        "--cores=4",
        "--memory-mb=2048",
        "--gpus=0",
        "--",
        "/h/f/job.sh",
    )


@pytest.mark.parametrize("spec", [{}, {"Resources": {}}])
def test_what_is_not_given_is_left_to_the_queue(spec):
    assert options(LOCAL.submit_command(submission(**spec))) == (
        "submit",
        "--name=n",
        "--token=tok",
        "--chdir=/h",
        "--output=/h/f/stdout",
        "--error=/h/f/stderr",
        "--",
        "/h/f/job.sh",
    )


def test_a_job_that_is_only_asked_about():
    job = submission(WallTime="1:30:00")
    words = options(LOCAL.test_command(job))
    assert words[:3] == ("submit", "--test-only", "--parsable")
    assert words[3:] == options(LOCAL.submit_command(job))[1:-2], "all but the script"
    now = "words=it would start now\x1fnode=vm\x1fstart_time=1795375590\n"
    assert LOCAL.parse_test(said(now)) == TrialAnswer(True, "it would start now", 1795375590, "vm")
    assert LOCAL.parse_test(said(now[:-1])) == LOCAL.parse_test(said(now)), "a shell takes line ends off"
    wait = "words=it would wait; when it would start is not known\x1fnode=vm\n"
    unknown = TrialAnswer(True, "it would wait; when it would start is not known", None, "vm")
    assert LOCAL.parse_test(said(wait)) == unknown
    refusal = "localq: there is no queue 'big'; the only one is default\n"
    refused = TrialAnswer(False, "there is no queue 'big'; the only one is default")
    # The submit program reads both of its outputs as one.
    assert LOCAL.parse_test(said(refusal, exit_code=1)) == LOCAL.parse_test(said("", refusal, 1)) == refused


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("localq: the queue's database /q cannot be used: disk I/O error\n", 1),
        ("localq: the queue in /q cannot be used: No space left on device\n", 1),
        ("sh: /opt/python: not found\n", 127),
        ("Traceback (most recent call last):\n", 1),
        ("", 0),
        ("garbage\n", 0),
        ("words=it would start now", 0),
    ],
)
def test_an_answer_that_says_nothing_of_the_job(text, code):
    with pytest.raises(ServiceUnavailable):
        LOCAL.parse_test(said(text, exit_code=code))


def test_the_other_commands():
    assert options(LOCAL.status_command(["me"])) == ("status", "--parsable")
    assert options(LOCAL.history_command(["12", "13_4", "12_1"])) == ("status", "--parsable", "--", "12", "13")
    assert options(LOCAL.stop_command(["12", "13_4"])) == ("stop", "--", "12", "13_4")
    assert options(LOCAL.hold_command(["12"])) == ("hold", "--", "12")
    assert options(LOCAL.release_command(["12"])) == ("release", "--", "12")
    assert options(LOCAL.queues_command()) == ("queues", "--parsable")
    assert options(LOCAL.version_command()) == ("version",)
    assert (LOCAL.parent_id("12_3"), LOCAL.task_of("12_3"), LOCAL.task_of("12")) == ("12", 3, None)


def test_ids():
    assert LOCAL.parse_submit(said("Submitted batch job 12\n")) == "12"
    noted = "localq: noted, but the queue's manager could not be started: Cannot allocate memory\n"
    assert LOCAL.parse_submit(said("Submitted batch job 12\n", noted)) == "12"


def test_reports():
    when = {"user": "me", "queue": "default", "submit_time": 1795375590}
    ran = {**when, "node_list": "vm", "start_time": 1795375590}
    assert LOCAL.parse_status(said(STATUS)) == [
        JobReport(
            "1",
            JobState.FAILED,
            "FAILED",
            exit_code=3,
            name="a\\b\nc ü",
            end_time=1795375592,
            memory_peak_mb=213,
            token="t0k=en",
            **ran,
        ),
        JobReport("2", JobState.RUNNING, "RUNNING", name="y", wall_time_s=5400, **ran),
        JobReport(
            "3",
            JobState.FINISHED,
            "FINISHED",
            tasks="1,5",
            count=2,
            exit_code=0,
            name="z\u2028",
            end_time=1795375591,
            **{**ran, "start_time": 1795375591},
        ),
        JobReport(
            "3",
            JobState.FAILED,
            "FAILED",
            tasks="3",
            reason="ended by SIGSEGV (11)",
            signal=11,
            name="z",
            end_time=1795375591,
            **ran,
        ),
        JobReport("3", JobState.QUEUED, "QUEUED", tasks="13-19:2", count=4, reason="Resources", name="z", **when),
        JobReport("4", JobState.HELD, "HELD", reason="JobHeldUser", name="y", **{**when, "submit_time": 1795375591}),
        JobReport(
            "8",
            JobState.CANCELLED,
            "CANCELLED",
            tasks="4",
            reason="cancelled by me",
            name="x",
            end_time=1795375594,
            **{**when, "submit_time": 1795375591},
        ),
    ]
    assert LOCAL.parse_history(said(STATUS)) == LOCAL.parse_status(said(STATUS))
    assert LOCAL.parse_status(said("")) == []


def test_every_state_of_the_queue_has_its_state_here():
    names = ("QUEUED", "HELD", "RUNNING", "FINISHED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAILED")
    assert set(STATES) == {getattr(database, name) for name in names}
    assert all(native == state.value for native, state in STATES.items())
    new = "job=1\x1fcount=1\x1fstate=SUSPENDED BY MAGIC\n"
    assert LOCAL.parse_status(said(new))[0].state is JobState.UNKNOWN
    assert LOCAL.parse_status(said(new))[0].native_state == "SUSPENDED BY MAGIC"


@pytest.mark.parametrize(
    "text",
    [
        STATUS[:-1],
        STATUS[:100],
        "garbage\n",
        "job=1\n",
        "job=1\x1fcount=x\x1fstate=QUEUED\n",
        "job=1\x1fcount=1\x1fstate=QUEUED\x1fsignal=\n",
    ],
)
def test_an_answer_that_is_not_whole_says_nothing_of_any_job(text):
    with pytest.raises(ListFailure, match="local queue's answer"):
        LOCAL.parse_status(said(text))


def test_the_queue():
    queue = Queue(
        name="default",
        is_default=True,
        state="UP",
        nodes=1,
        cores_per_node=8,
        memory_mb_per_node=32000,
        gpus_per_node=2,
        idle_nodes=0,
    )
    assert LOCAL.parse_queues(said(QUEUES)) == [queue]
    for text in ("garbage\n", QUEUES.replace("=8", "=x")):
        with pytest.raises(AgentError, match="cannot be read"):
            LOCAL.parse_queues(said(text))


@pytest.mark.parametrize(
    ("parse", "error"),
    [
        (LOCAL.parse_submit, SubmitFailure),
        (LOCAL.parse_status, ListFailure),
        (LOCAL.parse_history, ListFailure),
        (LOCAL.parse_stop, StopFailure),
        (LOCAL.parse_change, AgentError),
        (LOCAL.parse_queues, AgentError),
        (LOCAL.parse_version, AgentError),
    ],
)
def test_refusals_keep_the_queues_words(parse, error):
    words = "localq: there is no job 77\nlocalq: job 1 is no array: it has no task 3\n"
    with pytest.raises(EhpcError) as failure:
        parse(said("", words, 1))
    assert type(failure.value) is error
    assert failure.value.detail == "there is no job 77; job 1 is no array: it has no task 3"


def test_silence_is_success():
    LOCAL.parse_stop(said())
    LOCAL.parse_change(said())
    assert LOCAL.parse_version(said("localq 2\n")) == "localq 2"

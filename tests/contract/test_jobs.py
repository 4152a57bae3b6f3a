"""What every cluster promises: a job runs as specified, once, and what is shown of it is true."""

from __future__ import annotations

import json
import shlex
import uuid

import pytest

from ehpc_jupyter.errors import InvalidParams, JobNotFound, SubmitFailure
from tests.conftest import wait_for

NASTY = {
    "quotes": 'it\'s "quoted" `whoami` $(id) $HOME ${x} \\ \\n',
    "lines": "one\ntwo\r\nthree\n",
    "trailing": "ends in lines\n\n",
    "spaces": "  a  b\t ",
    "percent": "%j %a %% 100%",
    "unicode": "Grüße 分子 🧪",
    "empty": "",
    "json": '{"a": [1, "x"]}',
    "comma": "a,b=c;d|e&f>g<h*?[!]~#",
}
PRINT_ENV = '#!/bin/sh\nfor name in {names}; do eval "printf \'%s\\\\0\' \\"\\$$name\\""; done\n'


def test_command_runs_and_its_output_comes_back(site):
    job = site.submit(CommandLine="-- /bin/ping -c 1 localhost" if site.lab else "-- /bin/echo ping localhost")
    detail = site.wait(job)
    assert (detail["State"], detail["ExitCode"]) == ("FINISHED", 0)
    assert "localhost" in site.log(job)
    assert detail["StartTime"] <= detail["EndTime"]


def test_script_in_home_runs_with_arguments(site):
    name = site.file('#!/bin/sh\nprintf "<%s>" "$@"; pwd\n')
    job = site.submit(CommandLine=f"{name} 'a b' \"c'd\" $HOME")
    assert site.wait(job)["State"] == "FINISHED"
    assert site.log(job) == f"<a b><c'd><$HOME>{site.home}\n"


def test_script_text_runs_by_its_own_interpreter(site):
    job = site.submit(Script="#!/usr/bin/env python3\nimport sys\nprint('python', sys.version_info.major)\n")
    assert site.wait(job)["State"] == "FINISHED"
    assert site.log(job) == "python 3\n"


def test_script_text_without_interpreter_runs_by_bash(site):
    job = site.submit(Script="a=(1 2 3); echo ${#a[@]}")
    site.wait(job)
    assert site.log(job) == "3\n"


def test_exit_code_and_stderr(site):
    job = site.submit(Script="echo to stderr >&2; exit 37")
    detail = site.wait(job)
    assert (detail["State"], detail["ExitCode"]) == ("FAILED", 37)
    assert site.log(job, "stderr") == "to stderr\n"


def test_variables_arrive_byte_for_byte(site):
    names = " ".join(NASTY)
    job = site.submit(
        Script=PRINT_ENV.format(names=names),
        Variables=json.dumps([{"Name": name, "Value": value} for name, value in NASTY.items()]),
    )
    assert site.wait(job)["State"] == "FINISHED"
    data = site.call("GetJobLog", JobId=job)["StdoutLog"]
    import base64

    assert base64.b64decode(data).decode().split("\0")[:-1] == list(NASTY.values())


def test_arguments_arrive_byte_for_byte(site):
    name = site.file("#!/bin/sh\nfor a; do printf '%s\\0' \"$a\"; done\n")
    values = [value.replace("\r", "") for value in NASTY.values()]
    job = site.submit(CommandLine=shlex.join([name, *values]))
    assert site.wait(job)["State"] == "FINISHED"
    assert site.log(job).split("\0")[:-1] == values


def test_output_goes_to_the_paths_given(site):
    folder = site.folder()
    job = site.submit(
        Script="echo out; echo err >&2",
        StdoutPath=f"{folder}/a job's %j 100%%.out",
        StderrPath=f"~/{folder.name}/e.err",
    )
    detail = site.wait(job)
    assert detail["StdoutPath"] == f"{folder}/a job's {job} 100%.out"
    assert (folder / f"a job's {job} 100%.out").read_text() == "out\n"
    assert (folder / "e.err").read_text() == "err\n"
    assert site.log(job) == "out\n"


def test_work_dir(site):
    folder = site.folder()
    job = site.submit(CommandLine="-- /bin/pwd", WorkDir=f"~/{folder.name}")
    site.wait(job)
    assert site.log(job) == f"{folder}\n"


def test_post_command_sees_the_exit_code_and_keeps_it(site):
    job = site.submit(
        Script="echo main; exit 4", PostCmdLine="echo post $EHPC_EXIT_CODE $x; exit 9", Variables={"x": "y z"}
    )
    detail = site.wait(job)
    assert (detail["State"], detail["ExitCode"]) == ("FAILED", 4)
    assert site.log(job) == "main\npost 4 y z\n"


def test_array_runs_its_tasks_and_keeps_their_outputs_apart(site):
    folder = site.folder()
    job = site.submit(
        Script="echo task $EHPC_ARRAY_TASK_ID",
        ArrayRequest="1-5:2",
        StdoutPath=f"{folder}/array.out",
    )
    detail = site.wait(job)
    assert (detail["State"], detail["Tasks"]) == ("FINISHED", {"FINISHED": 3})
    assert sorted(p.name for p in folder.iterdir()) == ["array.out.1", "array.out.3", "array.out.5"]
    assert site.log(job, TaskId=3) == "task 3\n"
    assert site.log(f"{job}_5") == "task 5\n"
    with pytest.raises(InvalidParams, match="no task 2"):
        site.log(f"{job}_2")


def test_array_with_a_failing_task(site):
    job = site.submit(Script="t=$EHPC_ARRAY_TASK_ID; echo $t; [ $t != 2 ] || exit 5", ArrayRequest="1-3")
    detail = site.wait(job)
    assert (detail["State"], detail["ExitCode"]) == ("FAILED", 5)
    assert detail["Tasks"] == {"FINISHED": 2, "FAILED": 1}


def test_running_job_is_shown_running_then_stopped(site):
    job = site.submit(Script="echo started; sleep 300")
    site.wait(job, until="RUNNING")
    wait_for(lambda: site.log(job) == "started\n", what="the first output while the job runs")
    site.call("StopJobs", JobIds=[job])
    assert site.wait(job)["State"] == "CANCELLED"


def test_stop_reaches_the_command_itself(site):
    job = site.submit(Script="trap 'echo got TERM; exit 3' TERM\necho ready\nwhile :; do sleep 0.1; done")
    wait_for(lambda: site.log(job) == "ready\n", what="the job to be ready")
    site.call("StopJobs", JobIds=json.dumps([f"Submitted batch job {job}\n"]))
    assert site.wait(job)["State"] == "CANCELLED"
    assert site.log(job) == "ready\ngot TERM\n"


def test_events_tell_of_every_state(site):
    job = site.submit(Script="sleep 1")
    site.wait(job)
    states = [event.state.value for event in site.events if event.job_id == job]
    assert states[0] == "QUEUED"
    assert states[-1] == "FINISHED"
    assert "RUNNING" in states


def test_same_token_is_the_same_job(site):
    token = uuid.uuid4().hex
    first = site.submit(token=token, CommandLine="-- /bin/true")
    assert site.submit(token=token, CommandLine="-- /bin/true") == first
    with pytest.raises(InvalidParams, match="ClientToken"):
        site.submit(token=token, CommandLine="-- /bin/false")
    assert site.call("ListJobs")["TotalCount"] == 1


def test_lists_newest_first_and_pages(site):
    jobs = [site.submit(name=f"n{i}", CommandLine="-- /bin/true") for i in range(3)]
    answer = site.call("ListJobs", PageSize=2)
    assert [job["Detail"]["JobId"] for job in answer["Jobs"]] == [jobs[2], jobs[1]]
    assert answer["TotalCount"] == 3
    named = site.call("ListJobs", JobFilter={"JobName": "n1"})
    assert [job["JobName"] for job in named["Jobs"]] == ["n1"]


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("JobSpec.CommandLine", {"CommandLine": "no-such-script.sh"}),
        ("JobSpec.CommandLine", {"CommandLine": "plain.sh"}),
        ("JobSpec.CommandLine", {"CommandLine": "noshebang"}),
        ("JobSpec.StdoutPath", {"CommandLine": "-- /bin/true", "StdoutPath": "/no/such/folder/x"}),
        ("JobSpec.StderrPath", {"CommandLine": "-- /bin/true", "StderrPath": "/no/such/folder/x"}),
        ("JobSpec.WorkDir", {"CommandLine": "-- /bin/true", "WorkDir": "/no/such/folder"}),
        ("JobSpec.Resources", {"CommandLine": "directives.sh", "Resources": {"Nodes": 1}}),
        ("JobSpec.Resources", {"Script": "#!/bin/sh\n#SBATCH -N1\ntrue", "Resources": {"Nodes": 1}}),
    ],
)
def test_what_would_fail_later_is_refused_now(site, field, spec):
    site.file("#!/bin/sh\n", 0o644, "plain.sh")
    site.file("echo\n", 0o755, "noshebang")
    site.file("#!/bin/sh\n#SBATCH --time=5\ntrue\n", 0o755, "directives.sh")
    with pytest.raises(InvalidParams) as failure:
        site.submit(**spec)
    assert [problem.field for problem in failure.value.problems] == [field]
    assert site.call("ListJobs")["TotalCount"] == 0


def test_what_the_scheduler_refuses_is_told_in_its_words(site):
    with pytest.raises(SubmitFailure) as failure:
        site.submit(CommandLine="-- /bin/true", Resources={"Nodes": 99})
    assert failure.value.detail
    assert site.call("ListJobs")["TotalCount"] == 0


def test_queue_that_does_not_exist(site):
    site.call("ListQueues")
    with pytest.raises(InvalidParams, match="there is no queue 'nosuch'"):
        site.submit(CommandLine="-- /bin/true", JobQueue="nosuch")


def test_queues_have_limits(site):
    queues = site.call("ListQueues")["Queues"]
    assert [queue["IsDefault"] for queue in queues].count(True) == 1
    assert all(queue["MaxCoresPerNode"] >= 1 for queue in queues)


def test_unknown_job(site):
    with pytest.raises(JobNotFound, match="no job 999999"):
        site.detail("999999")


def test_names_that_break_things(site):
    name = 'it\'s "a" $(name); `x` -rf % Grüße'
    job = site.submit(name=name, CommandLine="-- /bin/true")
    detail = site.wait(job)
    assert (detail["JobName"], detail["State"]) == (name, "FINISHED")


def test_a_new_server_takes_up_the_jobs_of_the_old(site, tmp_path):
    from ehpc_jupyter.jobs.service import JobService

    job = site.submit(Script="echo before; while [ ! -e ~/go-on ]; do sleep 0.1; done; echo after; exit 7")
    site.wait(job, until="RUNNING")
    profiles = site.service.profiles
    site.service.close()
    site.file("", name="go-on")
    site.service = JobService(profiles, tmp_path / "store" / "jobs.sqlite")
    site.service.start()
    detail = site.wait(job)
    (site.home / "go-on").unlink()
    assert (detail["State"], detail["ExitCode"]) == ("FAILED", 7)
    assert site.log(job) == "before\nafter\n"


def test_wall_time_ends_the_job(site):
    # Slurm counts wall time in minutes: its own end is tested where it takes that long.
    if site.lab:
        job = site.submit(CommandLine="-- /bin/true", WallTime="360:48:50")
        assert "TimeLimit=15-00:49:00" in site.lab.run("scontrol", "show", "job", job)
        return
    job = site.submit(Script="sleep 300", WallTime="0:00:01")
    detail = site.wait(job)
    assert detail["State"] == "TIMEOUT"


def test_a_log_is_read_in_parts(site):
    job = site.submit(Script="printf 0123456789")
    site.wait(job)
    answer = site.call("GetJobLog", JobId=job, LogType="stdout", Offset=4, Size=3)
    import base64

    assert (base64.b64decode(answer["StdoutLog"]), answer["StdoutLogSize"]) == (b"456", 10)
    assert "StderrLog" not in answer

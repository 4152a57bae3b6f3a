"""``%%ehpc``: every field is a flag, errors are short, the job ends up in the user's hands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from IPython.utils.capture import capture_output

import ehpc_jupyter
from ehpc_jupyter.clusters.base import Verdict
from ehpc_jupyter.errors import Problem, ServiceUnavailable, SubmitFailure
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.notebook.backend import KernelBackend
from ehpc_jupyter.notebook.client import Client
from ehpc_jupyter.notebook.display import JOB_MIME
from ehpc_jupyter.notebook.extension import register
from ehpc_jupyter.notebook.fields import fields_of
from ehpc_jupyter.notebook.flags import flags_of, help_text, known_flags, parse, shown_fields
from ehpc_jupyter.notebook.job import Job
from ehpc_jupyter.notebook.magic import EhpcMagic, MagicError
from ehpc_jupyter.schedulers.base import TrialAnswer
from tests.unit.jobs.fake import FakeCluster

#: How each field is given as a flag, and what arrives; a new field of the model asks for its own line here.
GOOD = {
    "ClusterId": ("--cluster big", "big"),
    "JobName": ("--name 'my job'", "my job"),
    "JobSpec.JobQueue": ("--queue batch", "batch"),
    "JobSpec.WallTime": ("--wall-time 1:30:00", "1:30:00"),
    "JobSpec.Resources.Nodes": ("--nodes 2", 2),
    "JobSpec.Resources.Cores": ("--cores=4", 4),
    "JobSpec.Resources.Memory": ("--memory 4gb", "4GB"),
    "JobSpec.Resources.Gpus": ("--gpus 1", 1),
    "JobSpec.ArrayRequest": ("--array 1-5:2", "1-5:2"),
    "JobSpec.After": ("--after 12,any:13", "ok:12,any:13"),
    "JobSpec.Variables": (
        "--var A=1 --var 'B=x y=z'",
        '[{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "x y=z"}]',
    ),
    "JobSpec.Priority": ("--priority 3", "3"),
    "JobSpec.WorkDir": ("--work-dir ~/x", "~/x"),
    "JobSpec.StdoutPath": ("--stdout-path /tmp/o", "/tmp/o"),
    "JobSpec.StderrPath": ("--stderr-path /tmp/e", "/tmp/e"),
    "JobSpec.PostCmdLine": ("--post-cmd-line 'echo done'", "echo done"),
    "JobSpec.RunasUser": ("--runas-user me", "me"),
}


@pytest.fixture
def magic(shell, client):
    asked = []

    def ask(prompt):
        asked.append(prompt)
        return "pw"

    made = EhpcMagic(shell, client, ask_secret=ask)
    made.asked = asked
    return made


def sent(backend):
    (body,) = backend.bodies("CreateJob")
    return body


def at(body, path):
    for part in path.split("."):
        body = body[part]
    return body


def test_every_field_has_a_flag_but_the_script_which_is_the_cell():
    without = {f.path for f in fields_of() if not f.is_group} - {f.path for f in shown_fields()}
    assert without == {"JobSpec.Script", "ClientToken"}
    for field in shown_fields():
        assert set(flags_of(field)) <= set(known_flags())


@pytest.mark.parametrize("field", shown_fields(), ids=lambda f: f.name)
def test_each_flag_arrives_in_its_field(magic, backend, field):
    if field.path == "JobSpec.CommandLine":
        magic("--command-line '-- /bin/ls -l'", "\n")
        assert sent(backend)["JobSpec"] == {"CommandLine": "-- /bin/ls -l"}
        return
    if field.path == "JobSpec.RunasUserPassword":
        magic("--runas-user me --runas-user-password", "true")
        assert sent(backend)["JobSpec"]["RunasUserPassword"] == "pw"
        assert magic.asked == ["Password of that user: "]
        return
    line, value = GOOD[field.path]
    magic(line, "true")
    assert at(sent(backend), field.path) == value


@pytest.mark.parametrize("field", shown_fields(), ids=lambda f: f.name)
def test_help_has_each_flag_with_its_docstring(field):
    text = " ".join(help_text().split())
    assert flags_of(field)[0] in text
    assert field.widget == "variables" or field.help[:40] in re.sub(r"(?<=\w)- (?=\w)", "-", text)


def test_the_cell_is_the_script_byte_for_byte(magic, backend):
    cell = "echo 'ü'\n\tdate %j $HOME {x}\n"
    magic("", cell)
    assert sent(backend)["JobSpec"] == {"Script": cell}
    assert sent(backend)["ClusterId"] == "local"


def test_an_interpreter_line_comes_first_even_after_an_empty_line(magic, backend):
    magic("", "\n#!/usr/bin/env python3\nprint(1)\n")
    assert sent(backend)["JobSpec"]["Script"] == "#!/usr/bin/env python3\nprint(1)\n"


def test_help_runs_nothing(magic, backend, capsys):
    assert magic("--nodes 2 --help", "true") is None
    assert "--wall-time" in capsys.readouterr().out
    assert backend.calls == []


def test_the_job_is_the_cells_result_and_bound(magic, shell):
    job = magic("--job mine", "true")
    assert isinstance(job, Job)
    assert shell.user_ns["mine"] is job
    assert shell.user_ns["_ehpc_job"] is job


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--walltime 1:00:00", "there is no flag --walltime; did you mean --wall-time?"),
        ("--node=2", "there is no flag --node; did you mean --nodes?"),
        ("--name my job", "'job' belongs to no flag; put a value with spaces in quotes"),
        ("--name 'my job", "no closing quotation"),
        ("--nodes", "--nodes: needs a value"),
        ("--var A", "--var: this notebook has no variable A; a text is written --var A=text"),
        ("--var 2", "--var: write NAME=value, or the name of a Python variable, not '2'"),
        ("--nodes 2 # two of them", "a comment needs a line of its own"),
        ("--command-line /bin/x", "the cell has a script, and --command-line names one, too"),
        ("--stdout x --array 1-3", "use --job NAME and NAME.stdout(task)"),
        ("--job 2x", "--job: '2x' cannot be the name of a variable"),
    ],
)
def test_a_flag_that_cannot_be_read_runs_nothing(magic, backend, line, words):
    with pytest.raises(MagicError) as caught:
        magic(line, "true")
    assert words in str(caught.value)
    assert "Nothing was run" in str(caught.value)
    assert backend.calls == []


def test_a_wrong_value_is_told_with_its_flag(magic, backend):
    with pytest.raises(MagicError) as caught:
        magic("--wall-time '5 h' --nodes 0 --runas-user-password --runas-user me", "true")
    first, second, code = str(caught.value).splitlines()
    assert first.startswith("%%ehpc: --wall-time: '5 h' is no wall time; write hours:minutes:seconds")
    assert second.startswith("%%ehpc: --nodes: ")
    assert code == "InvalidParams"
    assert backend.calls == []
    assert magic.asked == []


def test_a_script_with_directives_and_flags_for_the_same(magic):
    with pytest.raises(MagicError, match=r"--nodes|Resources"):
        magic("--nodes 2", "#SBATCH -N 1\ntrue")


def test_an_empty_cell_says_what_is_missing(magic):
    with pytest.raises(MagicError, match="the cell has no script; write it in the lines below the first"):
        magic("", "\n")


def test_a_first_line_may_stand_alone(shell, capsys):
    register(shell)
    assert shell.run_cell("%%ehpc --help").success
    assert "--wall-time" in capsys.readouterr().out
    assert not shell.run_cell("%%ehpc").success
    assert "the cell has no script" in capsys.readouterr().out


def test_the_clusters_refusal_ends_with_code_and_request(magic, backend):
    error = SubmitFailure("sbatch: error: invalid account", recommend="Ask your site.")
    error.request_id = "R-9"
    backend.before["CreateJob"] = [error]
    with pytest.raises(MagicError) as caught:
        magic("", "true")
    assert str(caught.value).splitlines() == [
        "%%ehpc: Failed to submit jobs: sbatch: error: invalid account",
        "Ask your site.",
        "AgentError.Job.SubmitFailure, RequestId R-9",
    ]
    assert caught.value.__suppress_context__


# --- waiting


def test_wait_shows_the_card_and_the_output(magic, capsys):
    assert magic("--wait --job mine", "true") is None
    out = capsys.readouterr().out
    assert "one\ntwo\n" in out


def test_a_card_leaves_the_output_to_the_cell_that_prints_it(magic, shell):
    with capture_output() as captured:
        magic("--wait", "true")
        magic("--wait --array 1-3", "true")
    waiting, array = captured.outputs[0], captured.outputs[-1]
    assert waiting.metadata[JOB_MIME] == {"output": False}
    assert JOB_MIME not in array.metadata


def test_wait_shows_a_long_output_in_part(magic, backend, capsys, monkeypatch):
    monkeypatch.setattr("ehpc_jupyter.notebook.magic._SHOWN_BYTES", 5)
    magic("--wait", "true")
    out = capsys.readouterr().out
    assert "one\nt\n[the output goes on; the job's stdout() has all of it]\n" in out
    assert "two" not in out
    assert out.count("goes on") == 1


def test_wait_shows_each_byte_once_as_it_comes(magic, backend, fake_time, capsys):
    backend.plan = [JobState.RUNNING] * 6 + [JobState.FINISHED]
    pieces = iter([b"a", b"b", b"c", b"d"])
    seen = []

    def write(seconds):
        seen.append(capsys.readouterr().out)
        backend.jobs["10"].stdout += next(pieces, b"")

    fake_time.on_sleep = write
    magic("--wait", "true")
    assert any(text.endswith("a") for text in seen)
    text = "".join(seen) + capsys.readouterr().out
    assert text.count("one\ntwo\n") == 1
    assert "".join(re.findall(r"^[abcd]$|(?<=two\n)[abcd]+", text, re.MULTILINE)).replace("\n", "")
    assert max(fake_time.slept) <= 1


def test_wait_tells_of_a_failure_shortly(magic, backend):
    backend.plan = [JobState.RUNNING, JobState.FAILED]
    create = backend._CreateJob

    def failing(body):
        answer = create(body)
        backend.jobs["10"].at_end = {"exit_code": 3}
        backend.jobs["10"].stderr = b"boom\n"
        return answer

    backend._CreateJob = failing
    with pytest.raises(MagicError, match=r"(?s)failed with exit code 3.*boom"):
        magic("--wait", "true")


def test_an_interrupted_wait_leaves_the_job_alone(magic, backend, fake_time, shell):
    def interrupt(seconds):
        raise KeyboardInterrupt

    fake_time.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt, match="goes on"):
        magic("--wait", "true")
    assert backend.bodies("StopJobs") == []
    assert shell.user_ns["_ehpc_job"].job_id == "10"


def test_wait_bears_a_log_that_cannot_be_read_for_a_moment(magic, backend, capsys):
    backend.before["GetJobLog"] = [ServiceUnavailable("busy")]
    magic("--wait", "true")
    assert "one\ntwo\n" in capsys.readouterr().out


def test_waiting_for_an_array_reads_no_single_output(magic, backend):
    magic("--wait --array 1-3", "true")
    assert backend.bodies("GetJobLog") == []


# --- in IPython


def test_an_error_in_a_cell_is_a_few_lines_and_no_traceback(shell, capsys):
    ehpc_jupyter.load_ipython_extension(shell)
    shell.run_cell("%%ehpc --walltime 1\ntrue")
    shown = "".join(capsys.readouterr())
    assert "did you mean --wall-time?" in shown
    assert "Traceback" not in shown
    assert "File" not in shown


@pytest.fixture
def loaded(shell, client, monkeypatch):
    """The shell with the magic as ``%load_ext`` registers it, talking to the fake."""
    monkeypatch.setattr("ehpc_jupyter.notebook.magic.Client", lambda: client)
    ehpc_jupyter.load_ipython_extension(shell)
    return shell


def test_nothing_is_put_into_cell_or_flags_unasked(loaded, backend):
    loaded.user_ns |= {"n": 3, "HOME": "/wrong"}
    result = loaded.run_cell("%%ehpc --post-cmd-line 'echo $HOME {n}' --name $n\necho {n} $n\n")
    assert isinstance(result.result, Job)
    assert sent(backend)["JobName"] == "$n"
    assert sent(backend)["JobSpec"] == {"Script": "echo {n} $n\n", "PostCmdLine": "echo $HOME {n}"}


def test_who_expects_interpolation_is_told(loaded, capsys, backend):
    loaded.user_ns["n"] = 3
    assert not loaded.run_cell("%%ehpc --nodes {n}\ntrue").success
    shown = "".join(capsys.readouterr())
    assert "%%ehpc: --nodes: " in shown
    assert "nothing is put into flags unasked" in shown
    assert backend.calls == []


def test_a_python_variable_arrives_as_it_is(magic, shell, backend):
    shell.user_ns |= {"SEED": 7, "text": "a'b $HOME\n{x}", "path": Path("/data/in"), "big": 1.5e300}
    magic("--var SEED --var text --var path --var big --var B=x", "true")
    found = json.loads(sent(backend)["JobSpec"]["Variables"])
    assert {item["Name"]: item["Value"] for item in found} == {
        "SEED": "7",
        "text": "a'b $HOME\n{x}",
        "path": "/data/in",
        "big": "1.5e+300",
        "B": "x",
    }


def test_a_python_variable_that_no_script_could_read(magic, shell, backend):
    shell.user_ns["rows"] = [1, 2]
    with pytest.raises(MagicError, match=r"rows is of type list; .* json\.dumps\(rows\)"):
        magic("--var rows", "true")
    with pytest.raises(MagicError, match="no variable row; did you mean rows"):
        magic("--var row", "true")
    assert backend.calls == []


@pytest.mark.parametrize(
    ("interpreter", "first"),
    [
        ("python3", "#!/usr/bin/env python3"),
        ("'python3 -u'", "#!/usr/bin/env -S python3 -u"),
        ("'/opt/r/bin/Rscript --vanilla'", "#!/opt/r/bin/Rscript --vanilla"),
    ],
)
def test_an_interpreter_for_a_script_that_names_none(magic, backend, interpreter, first):
    magic(f"--interpreter {interpreter}", "print(1)\n")
    assert sent(backend)["JobSpec"]["Script"] == f"{first}\nprint(1)\n"


def test_two_interpreters(magic, backend):
    with pytest.raises(MagicError, match="the script names one itself"):
        magic("--interpreter python3", "#!/bin/sh\ntrue")
    assert backend.calls == []


def test_stdout_waits_and_binds_the_text(magic, shell, capsys):
    assert magic("--stdout text", "true") is None
    assert shell.user_ns["text"] == "one\ntwo\n"
    assert "one\ntwo\n" in capsys.readouterr().out


def test_stdout_of_a_job_that_failed_is_there_too(magic, backend, shell):
    backend.plan = [JobState.RUNNING, JobState.FAILED]
    with pytest.raises(MagicError, match="failed"):
        magic("--stdout text", "true")
    assert shell.user_ns["text"] == "one\ntwo\n"


# --- templates and dry runs, by the real service over a cluster in memory


@pytest.fixture
def live(shell, tmp_path):
    service = JobService({"local": ClusterProfile(name="local")}, tmp_path / "jobs.sqlite", FakeCluster)
    yield EhpcMagic(shell, Client(backend=KernelBackend(service)), ask_secret=lambda prompt: "pw")
    service.close()


def submitted(live):
    return live.client._backend._service.cluster("local").submitted[-1].request


def test_a_template_lies_below_flags_and_cell(live):
    fields = {
        "JobSpec.WallTime": "1:00:00",
        "JobSpec.Resources.Nodes": "2",
        "JobSpec.CommandLine": "-- /bin/ls",
        "JobSpec.Variables": '[{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}]',
    }
    live.client.save_template("usual", fields)
    live("--template usual", "\n")
    assert submitted(live).job_spec.command_line == "-- /bin/ls"
    live("--template usual --nodes 3 --var B=3 --var C=4", "echo\n")
    spec = submitted(live).job_spec
    assert (spec.script, spec.command_line, spec.resources.nodes) == ("echo\n", None, 3)
    assert str(spec.wall_time) == "1:00:00"
    assert {v.name: v.value for v in spec.variables} == {"A": "1", "B": "3", "C": "4"}


def test_a_template_that_does_not_exist(live):
    live.client.save_template("usual", {"JobName": "x"})
    with pytest.raises(MagicError, match=r"^%%ehpc: --template: there is no template 'usuel'; did you mean usual\?"):
        live("--template usuel", "true")


def test_a_dry_run_shows_and_submits_nothing(live):
    shown = live("--dry-run", "true\n")
    assert repr(shown).splitlines()[0] == "✓ local would take this job"
    assert "$ submit" in repr(shown)
    assert "#!/bin/sh" in shown._repr_html_()
    assert live.client.jobs() == []


def test_a_dry_run_names_the_flags(live):
    cluster = live.client._backend._service.cluster("local")
    problem = Problem("JobSpec.WorkDir", "the folder <x> does not exist")
    cluster.test = lambda job: Verdict((problem,), TrialAnswer(valid=False, words="sbatch: <no>"))
    shown = live("--dry-run --work-dir /x", "true\n")
    assert "✗ local would not take this job" in repr(shown)
    assert "--work-dir  the folder <x> does not exist" in repr(shown)
    assert "&lt;x&gt;" in shown._repr_html_()
    assert "&lt;no&gt;" in shown._repr_html_()


def test_a_dry_run_without_an_answer_shows_what_is_known(magic, backend, capsys):
    backend._CheckJob = lambda body: None
    backend.before["CheckJob"] = [ServiceUnavailable("login.example.org cannot be reached")]
    assert magic("--dry-run --wall-time 1:0:0", "echo hi\n") is None
    shown = capsys.readouterr().out
    assert "login.example.org cannot be reached" in shown
    assert re.search(r"JobSpec.WallTime +1:00:00", shown)
    assert shown.endswith("echo hi\n")


def test_a_password_is_not_a_plain_local_variable(live):
    with pytest.raises(MagicError) as caught:
        live("--runas-user me --runas-user-password --nodes 1", "#SBATCH -N 1\n")
    error = caught.value
    seen = []
    live.client._backend._service.cluster("local").login = lambda user, password: seen.append(password) or 1 / 0
    with pytest.raises(ZeroDivisionError) as caught:
        live("--runas-user me --runas-user-password", "true")
    assert seen[0].get_secret_value() == "pw"
    frame = caught.value.__traceback__
    while frame is not None:
        if "ehpc_jupyter/notebook" in frame.tb_frame.f_code.co_filename:
            assert "'pw'" not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next
    assert "directives" in str(error)


# --- errors


def test_the_whole_traceback_is_there_for_who_asks(loaded, backend, capsys):
    backend.before["CreateJob"] = [SubmitFailure("no account")]
    loaded.InteractiveTB.set_mode("Verbose")
    loaded.run_cell("%%ehpc\ntrue")
    shown = "".join(capsys.readouterr())
    assert "Traceback" in shown
    assert "SubmitFailure" in shown


def test_an_error_of_python_names_the_users_line_and_none_of_ours(loaded, client, backend, capsys):
    error = SubmitFailure("sbatch: error: invalid account", recommend="Ask your site.")
    error.request_id = "R-9"
    backend.before["CreateJob"] = [error]
    loaded.user_ns["client"] = client
    loaded.run_cell("def go():\n    return client.submit(script='true')\n\n\ngo()\n")
    shown = "".join(capsys.readouterr()).strip().splitlines()
    assert "line 5: go()" in shown[0]
    assert "line 2: return client.submit(script='true')" in shown[1]
    assert shown[2:] == [
        "Failed to submit jobs: sbatch: error: invalid account",
        "Ask your site.",
        "AgentError.Job.SubmitFailure, RequestId R-9",
        "%xmode Verbose shows the whole traceback.",
    ]


def test_reading_a_line_looks_at_no_values():
    assert parse("--nodes x").values == {"JobSpec.Resources.Nodes": "x"}

"""``%ehpc``: small commands in one line, and what Tab offers."""

from __future__ import annotations

import re

import pytest
from IPython.core.completer import provisionalcompleter

import ehpc_jupyter
from ehpc_jupyter import Client, JobForm
from ehpc_jupyter.errors import ServiceUnavailable
from ehpc_jupyter.models import actions
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.notebook.completion import Completer
from ehpc_jupyter.notebook.default import use_cluster
from ehpc_jupyter.notebook.job import Job
from ehpc_jupyter.notebook.lines import COMMANDS
from ehpc_jupyter.notebook.magic import EhpcMagic, MagicError


@pytest.fixture
def magic(shell, client):
    return EhpcMagic(shell, client)


@pytest.fixture(autouse=True)
def _the_default_cluster_again():
    yield
    use_cluster("local")


def test_line_magics_answer_with_tables(magic, backend):
    backend.add("1")
    assert [job.job_id for job in magic("jobs")] == ["1"]
    assert [queue.queue_name for queue in magic("queues --cluster big")] == ["gpu"]
    assert len(magic("clusters")) == 2


def test_stop_tells_which(magic, backend, capsys):
    backend.add("1")
    backend.add("2")
    magic("stop 1 2")
    assert backend.bodies("StopJobs") == [{"ClusterId": "local", "JobIds": ["1", "2"]}]
    assert "Job 1 on local, Job 2 on local" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["", "help", "--help"])
def test_without_a_command_there_is_help(magic, capsys, line):
    magic(line)
    assert "%ehpc stop JOB" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("job", "there is no %ehpc job; did you mean jobs"),
        ("stop", "which job"),
        ("stop ../x", "no job id"),
        ("clusters 3", "takes no '3'"),
        ("jobs --all", "unrecognized arguments: --all"),
        ("jobs 'x", "no closing quotation"),
        ("queues --cluster nowhere", "ClusterNotFound"),
    ],
)
def test_a_wrong_line_is_told_shortly(magic, line, words):
    with pytest.raises(MagicError, match=re.escape(words)):
        magic(line)


def test_each_command_is_explained(magic, capsys):
    magic("help")
    shown = capsys.readouterr().out
    for command in COMMANDS.values():
        assert f"%ehpc {command.usage} " in shown


def test_a_variable_may_stand_for_its_job(magic, shell, backend):
    backend.add("1")
    backend.add("7", cluster_id="big")
    shell.user_ns |= {"mine": magic.client.job("7", "big"), "other": 3}
    magic("stop mine 1")
    assert backend.bodies("StopJobs") == [
        {"ClusterId": "big", "JobIds": ["7"]},
        {"ClusterId": "local", "JobIds": ["1"]},
    ]


@pytest.mark.parametrize(
    ("line", "action", "answer", "words"),
    [
        ("hold 1", "HoldJobs", actions.HoldJobsResponse(), "Held: Job 1 on local"),
        ("release 1", "ReleaseJobs", actions.ReleaseJobsResponse(), "Released: Job 1 on local"),
        ("rerun 1", "RerunJobs", actions.RerunJobsResponse(job_ids=("9",)), "Submitted again: Job 1 on local"),
    ],
)
def test_orders(magic, backend, capsys, line, action, answer, words):
    backend.add("1")
    setattr(backend, f"_{action}", lambda body: answer)
    result = magic(line)
    (body,) = backend.bodies(action)
    assert (body["ClusterId"], body["JobIds"]) == ("local", ["1"])
    assert words in capsys.readouterr().out
    assert isinstance(result, Job) == (action == "RerunJobs")


def test_logs_so_far(magic, backend, capsys):
    backend.add("1", stdout=b"one\n", stderr=b"two\n")
    magic("logs 1")
    assert capsys.readouterr().out == "one\n"
    magic("logs --stderr 1")
    assert capsys.readouterr().out == "two\n"


@pytest.mark.parametrize("line", ["logs -f 1", "logs 1 -f"])
def test_logs_as_they_come(magic, backend, fake_time, capsys, line):
    job = backend.add("1", stdout=b"one\n", plan=[JobState.RUNNING] * 4 + [JobState.FINISHED])
    pieces = iter([b"two\n", b"three\n"])

    def write(seconds):
        job.stdout += next(pieces, b"")

    fake_time.on_sleep = write
    magic(line)
    assert capsys.readouterr().out == "one\ntwo\nthree\n"


def test_following_can_be_interrupted(magic, backend, fake_time):
    backend.add("1", plan=[JobState.RUNNING] * 50)

    def interrupt(seconds):
        raise KeyboardInterrupt

    fake_time.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt, match="goes on"):
        magic("logs -f 1")
    assert backend.bodies("StopJobs") == []


def test_the_cluster_of_the_notebook(magic, backend, capsys):
    magic("use big")
    assert "works with big from now on" in capsys.readouterr().out
    assert [queue.queue_name for queue in magic("queues")] == ["gpu"]
    assert magic("", "true").cluster_id == "big"
    assert Client(backend=backend).cluster == "big"
    form = JobForm(client=Client(backend=backend), spawn=lambda work: work(), script="true")
    assert form.submit().cluster_id == "big"
    assert magic("--cluster local", "true").cluster_id == "local"


def test_a_cluster_that_is_not_there_is_not_used(magic):
    with pytest.raises(MagicError, match="there is no cluster bigg; did you mean big"):
        magic("use bigg")
    assert magic.client.cluster == "local"


def test_check_is_a_dry_run_without_a_cell(magic, backend, capsys):
    answer = actions.CheckJobResponse(valid=True, script="#!/bin/sh", command="sbatch")
    backend._CheckJob = lambda body: answer
    assert "would take this job" in repr(magic("check --command-line '-- /bin/ls' --nodes 2"))
    assert backend.bodies("CheckJob")[0]["JobSpec"]["Resources"] == {"Nodes": 2}
    with pytest.raises(MagicError, match="the cell has no script"):
        magic("check --nodes 2")


def test_templates_are_listed_and_forgotten(magic, backend, capsys):
    template = actions.Template(name="one hour", fields={"JobSpec.WallTime": "1:00:00"}, saved_time=1)
    backend._ListTemplates = lambda body: actions.ListTemplatesResponse(templates=(template,))
    backend._DeleteTemplate = lambda body: actions.DeleteTemplateResponse()
    assert "Wall time: 1:00:00" in repr(magic("templates"))
    magic("templates --delete 'one hour'")
    assert backend.bodies("DeleteTemplate") == [{"Name": "one hour"}]


# --- Tab


@pytest.fixture
def completer(client):
    return Completer(lambda: client, {"n": 1, "text": "x", "rows": [1], "_": 3}, spawn=lambda work: work())


def test_flags_are_completed_in_ipython(shell, client, monkeypatch):
    monkeypatch.setattr("ehpc_jupyter.notebook.magic.Client", lambda: client)
    ehpc_jupyter.load_ipython_extension(shell)

    def found(line):
        with provisionalcompleter():
            return {c.text for c in shell.Completer.completions(f"{line}\ntrue", len(line))}

    assert found("%%ehpc --nodes 2 --wa") == {"--wall-time", "--wait"}
    assert "stop" in found("%ehpc st")
    assert found("%%ehpc --cluster b") == {"big"}
    assert "big" in found("%%ehpc --cluster=b")
    assert "big" in found("%ehpc use ")


def test_values_are_completed_where_they_are_known(completer, backend):
    backend.add("1")
    template = actions.Template(name="one hour", fields={}, saved_time=1)
    backend._ListTemplates = lambda body: actions.ListTemplatesResponse(templates=(template,))
    assert completer.after("%%ehpc --cluster ") == ["local", "big"]
    assert completer.after("%%ehpc --queue ") == ["batch", "long"]
    assert completer.after("%%ehpc --cluster big --queue ") == ["gpu"]
    assert completer.after("%%ehpc --cluster=big --queue=") == ["gpu"]
    assert completer.after("%%ehpc --template ") == ["'one hour'"]
    assert completer.after("%%ehpc --var ") == ["n", "text"]
    assert completer.after("%%ehpc --priority ") == list("0123456789")
    assert "--wait" in completer.after("%%ehpc --name x ")
    assert completer.after("%ehpc stop ")[0] == "1"
    assert "-f" in completer.after("%ehpc logs ")
    assert completer.after("%ehpc use ") == ["local", "big"]
    assert "--active" in completer.after("%ehpc jobs ")


def test_nobody_waits_for_queues(client, backend):
    later = []
    completer = Completer(lambda: client, {}, spawn=later.append)
    assert completer.after("%%ehpc --queue ") == []
    assert completer.after("%%ehpc --queue ") == []
    assert len(later) == 1
    later.pop()()
    assert completer.after("%%ehpc --queue ") == ["batch", "long"]


def test_an_error_completes_nothing(completer, backend):
    backend.before["ListClusters"] = [ServiceUnavailable("no")]
    backend.before["ListQueues"] = [ServiceUnavailable("no")]
    assert completer.after("%%ehpc --cluster ") == []
    assert completer.after("%%ehpc --queue ") == []
    assert completer.after("%%ehpc --queue ") == ["batch", "long"]

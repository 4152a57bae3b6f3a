"""What is copied runs as it stands and asks for the same job, whatever is in it."""

from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import ehpc_jupyter
from ehpc_jupyter.errors import InvalidParams
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.fields import body_of
from ehpc_jupyter.notebook.copies import as_cell, as_python
from ehpc_jupyter.notebook.magic import EhpcMagic
from ehpc_jupyter.notebook.words import quote, split

ALL = {
    "ClusterId": "big",
    "JobName": 'it\'s "mine" -x',
    "JobSpec.Script": '#!/usr/bin/env python3\nprint(\'a\\\\n\', """b""")\n\tx = "end"',
    "JobSpec.JobQueue": "batch",
    "JobSpec.WallTime": "1:00:00",
    "JobSpec.Resources.Nodes": "2",
    "JobSpec.Resources.Memory": "4GB",
    "JobSpec.ArrayRequest": "1-9:2",
    "JobSpec.After": "ok:12,any:13",
    "JobSpec.Variables": json.dumps([{"Name": "A", "Value": "x y=z'\n\u2028"}, {"Name": "B", "Value": ""}]),
    "JobSpec.Priority": "0",
    "JobSpec.WorkDir": "~/a b",
    "JobSpec.StdoutPath": "/tmp/%j $HOME {x}",
    "JobSpec.PostCmdLine": "echo a\necho 'b'",
    "JobSpec.RunasUser": "me",
}


def request_of(fields):
    return CreateJobRequest.from_wire(body_of(fields))


class Caught(Exception):
    pass


class Catcher:
    """Stands for a client, and keeps what it is asked to submit."""

    cluster = "elsewhere"

    def create(self, request):
        raise Caught(request)


def from_cell(text, shell=None, ask=lambda prompt: "pw"):
    first, _, body = text.partition("\n")
    assert first.startswith("%%ehpc ")
    with pytest.raises(Caught) as caught:
        EhpcMagic(shell, Catcher(), ask).run(first.removeprefix("%%ehpc "), body)
    return caught.value.args[0]


def from_python(text, monkeypatch):
    from ehpc_jupyter.notebook.client import Client

    def create(self, request):
        raise Caught(request)

    monkeypatch.setattr(Client, "create", create)
    with pytest.raises(Caught) as caught:
        exec(compile(text, "copied", "exec"), {})
    return caught.value.args[0]


def test_every_field_goes_through_both(monkeypatch):
    request = request_of(ALL)
    assert from_cell(as_cell(request)) == request
    assert from_python(as_python(request), monkeypatch) == request


def test_a_command_line(monkeypatch):
    request = request_of({"ClusterId": "local", "JobSpec.CommandLine": "-- /bin/echo 'a  b'"})
    assert as_cell(request) == """%%ehpc --cluster local --command-line='-- /bin/echo '"'"'a  b'"'"''\n"""
    assert from_cell(as_cell(request)) == request
    assert from_python(as_python(request), monkeypatch) == request


def test_how_they_look():
    request = request_of(
        {
            "ClusterId": "local",
            "JobName": "my job",
            "JobSpec.Script": "date\nhostname\n",
            "JobSpec.Resources.Nodes": "2",
        }
    )
    assert as_cell(request) == "%%ehpc --cluster local --name 'my job' --nodes 2\ndate\nhostname\n"
    assert as_python(request).splitlines() == [
        "from ehpc_jupyter import Client",
        "",
        'job = Client("local").submit(',
        '    name="my job",',
        '    script="""\\',
        "date",
        "hostname",
        '""",',
        "    nodes=2,",
        ")",
        "job",
    ]


def test_a_password_is_asked_for_again_and_never_copied(monkeypatch):
    request = request_of({**ALL, "JobSpec.RunasUserPassword": "pw-77"})
    for text in (as_cell(request), as_python(request)):
        assert "pw-77" not in text
    assert from_cell(as_cell(request), ask=lambda prompt: "pw-77") == request
    monkeypatch.setattr("getpass.getpass", lambda prompt: "pw-77")
    assert from_python(as_python(request), monkeypatch) == request


def test_the_cell_runs_in_ipython_as_it_stands(shell, client, backend, monkeypatch):
    monkeypatch.setattr("ehpc_jupyter.notebook.magic.Client", lambda: client)
    ehpc_jupyter.load_ipython_extension(shell)
    request = request_of(ALL)
    shell.user_ns |= {"HOME": "wrong", "x": "wrong"}
    assert shell.run_cell(as_cell(request)).success
    (body,) = backend.bodies("CreateJob")
    sent = CreateJobRequest.from_wire(body).model_copy(update={"client_token": None})
    # IPython ends a cell with a line end.
    assert sent.job_spec.script == request.job_spec.script + "\n"
    spec = request.job_spec.model_copy(update={"script": sent.job_spec.script})
    assert sent == request.model_copy(update={"job_spec": spec})


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
WORD = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@given(
    st.fixed_dictionaries(
        {"ClusterId": WORD},
        optional={
            "JobName": WORD,
            "JobSpec.PostCmdLine": TEXT,
            "JobSpec.WorkDir": WORD.map(lambda text: f"~/{text}"),
            "JobSpec.StderrPath": WORD.map(lambda text: f"/{text}"),
            "JobSpec.Resources.Cores": st.integers(1, 99).map(str),
            "JobSpec.Variables": st.dictionaries(st.from_regex("[A-F]{1,3}", fullmatch=True), TEXT, min_size=1).map(
                lambda found: json.dumps([{"Name": name, "Value": text} for name, text in found.items()])
            ),
        },
    ),
    st.one_of(
        st.tuples(st.just("JobSpec.Script"), TEXT),
        st.tuples(st.just("JobSpec.CommandLine"), st.lists(TEXT).map(lambda words: shlex.join(["/bin/x", *words]))),
        st.tuples(st.just("JobSpec.CommandLine"), st.lists(TEXT).map(lambda words: f"-- {shlex.join(['/x', *words])}")),
    ),
)
@settings(suppress_health_check=[HealthCheck.filter_too_much], deadline=None)
def test_whatever_is_in_it(fields, what):
    try:
        request = request_of({**fields, what[0]: what[1]})
    except InvalidParams:
        assume(False)
    # A cell whose script starts with "#!" after empty lines is taken at its word.
    script = request.job_spec.script or ""
    assume(not (script.startswith("\n") and script.lstrip("\n").startswith("#!")))
    assert "\n" not in as_cell(request).partition("\n")[0]
    assert len(as_cell(request).partition("\n")[0].splitlines()) == 1
    assert from_cell(as_cell(request)) == request
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert from_python(as_python(request), monkeypatch) == request


# --- words


@given(st.lists(st.text()))
@settings(deadline=None)
def test_words_come_back(words):
    line = " ".join(quote(word) for word in words)
    assert len(line.splitlines()) <= 1
    assert split(line) == words


@given(st.text(st.sampled_from("ab \\'\"\t")))
@settings(deadline=None)
def test_words_are_those_of_a_shell(line):
    try:
        expected = shlex.split(line)
    except ValueError:
        with pytest.raises(ValueError):
            split(line)
    else:
        assert split(line) == expected


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r"$'a\nb\u00e9\U0001f600'", ["a\nb\u00e9\U0001f600"]),
        ("a$'b'$c", ["ab$c"]),
        ("'' \"\"", ["", ""]),
        ("\u00a0x", ["\u00a0x"]),
    ],
)
def test_a_few_lines(line, words):
    assert split(line) == words


@pytest.mark.parametrize("line", ["'a", "$'a", '"a', "a\\", r"$'\q'", r"$'\Uffffffff'"])
def test_lines_that_cannot_be_read(line):
    with pytest.raises(ValueError):
        split(line)

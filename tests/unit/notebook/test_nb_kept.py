"""What a saved notebook keeps of a job: which one made the output, and a card that reads well without a server."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from IPython.display import display
from IPython.utils.capture import capture_output

from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.notebook import markup
from ehpc_jupyter.notebook.livecard import LiveCard
from ehpc_jupyter.notebook.markup import html, plain, plain_lines

JOB_MIME = "application/vnd.ehpc.job.v1+json"
VIEW_MIME = "application/vnd.jupyter.widget-view+json"
NOW = 1_700_000_000


def shown(shell, job):
    data, metadata = shell.display_formatter.format(job)
    return data, metadata


# --- which job made it


def test_an_output_says_which_job_made_it(client, backend, shell):
    script = "echo hällo\n"
    job = client.submit(script=script, name="hello", cores=2, wall_time="0:05:00")
    backend.jobs["10"].detail = backend.jobs["10"].detail.model_copy(
        update={"folder": "/h/f", "stdout_path": "/h/f/stdout", "stderr_path": "/h/f/stderr"}
    )
    _, metadata = shown(shell, job)
    assert metadata["ehpc"] == {
        "ClusterId": "local",
        "JobId": "10",
        "RequestId": "r10",
        "SubmitTime": "2023-11-14T22:13:20+00:00",
        "ScriptSha256": hashlib.sha256(script.encode()).hexdigest(),
        "Request": {
            "ClusterId": "local",
            "JobName": "hello",
            "JobSpec": {"Script": script, "Resources": {"Cores": 2}, "WallTime": "0:05:00"},
        },
        "Folder": "/h/f",
        "StdoutPath": "/h/f/stdout",
        "StderrPath": "/h/f/stderr",
    }


def test_a_notebook_with_it_is_valid_and_keeps_it(client, backend, shell):
    job = client.submit(script="x", name="hello")
    data, metadata = shown(shell, job)
    output = nbformat.v4.new_output("execute_result", data=data, metadata=metadata, execution_count=1)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("job", outputs=[output])])
    nbformat.validate(notebook)
    again = nbformat.reads(nbformat.writes(notebook), as_version=4)
    kept = again.cells[0].outputs[0]
    assert kept.metadata["ehpc"]["JobId"] == "10"
    assert JobDetail.model_validate(kept.data[JOB_MIME]).job_id == "10"


def test_no_secret_is_kept(client, shell):
    job = client.submit(
        script="x",
        runas_user="me",
        runas_user_password="hunter2",
        variables={"API_TOKEN": "hunter3", "DB_PASSWORD": "hunter4", "WHO": "world"},
        client_token="only-once",
    )
    data, metadata = shown(shell, job)
    text = json.dumps([data, metadata])
    assert "hunter" not in text
    assert "only-once" not in text
    variables = json.loads(metadata["ehpc"]["Request"]["JobSpec"]["Variables"])
    assert {v["Name"]: v["Value"] for v in variables} == {
        "API_TOKEN": "(not kept)",
        "DB_PASSWORD": "(not kept)",
        "WHO": "world",
    }


def test_a_long_script_is_kept_by_its_hash(client, shell):
    script = "x" * 100_000
    _, metadata = shown(shell, client.submit(script=script))
    assert metadata["ehpc"]["ScriptSha256"] == hashlib.sha256(script.encode()).hexdigest()
    assert "Script" not in metadata["ehpc"]["Request"]["JobSpec"]
    assert len(json.dumps(metadata)) < 2000


def test_of_a_job_of_another_kernel_it_keeps_what_the_server_tells(client, backend, shell):
    backend.add("1", submit_time=NOW)
    _, metadata = shown(shell, client.job(1))
    assert metadata["ehpc"]["Request"] == {"ClusterId": "local", "JobName": "hello", "JobSpec": {}}
    assert "ScriptSha256" not in metadata["ehpc"]


def test_what_the_cell_adds_stands_beside_it(client, shell):
    job = client.submit(script="x")
    with capture_output() as captured:
        display(job, metadata={JOB_MIME: {"output": False}})
    assert set(captured.outputs[0].metadata) == {JOB_MIME, "ehpc"}


# --- without a server, without styles


def without_styles(text):
    """As GitHub shows an output: neither styles nor classes; tables stay."""
    return re.sub(r' (style|class)="[^"]*"', "", text)


def test_the_card_reads_as_plain_html(client, backend):
    backend.add(
        "1",
        state=JobState.FAILED,
        exit_code=3,
        explanation="The command ended with an error.",
        advice="Look at the end of stderr.",
        stdout_path="/h/o",
    )
    data, _ = client.job(1)._repr_mimebundle_()
    text = without_styles(data["text/html"])
    assert "<strong>Job 1 &#39;hello&#39; on local</strong>" in text
    assert (
        '<tr><th scope="row" align="left">why</th><td align="left">The command ended with an error.</td></tr>' in text
    )
    assert '<th scope="row" align="left">what to do</th><td align="left">Look at the end of stderr.</td>' in text
    assert text.index("why") < text.index("exit code") < text.index("stdout")


def test_it_says_when_a_job_that_waits_will_start(client, backend):
    backend.add("1", expected_start_time=NOW, after="ok:12", explanation="It waits for job 12.")
    text = str(client.job(1))
    for words in ("starts     2023", "waits for  ok:12", "It waits for job 12."):
        assert words in text
    backend.add("2", state=JobState.FINISHED, expected_start_time=NOW, memory_peak_mb=1536, rerun_of="1")
    text = str(client.job(2))
    assert "starts" not in text
    assert "1536MB" in text
    assert "runs again   job 1" in text


# --- live where there is no extension


def at_once(work):
    work()


def test_the_live_card_says_what_the_card_says(client, backend):
    backend.add("1", plan=[JobState.RUNNING, JobState.FINISHED], stdout=b"one\ntwo\n", stdout_path="/h/o")
    job = client.job(1)
    card = LiveCard(job, at_once)
    state, buttons, view = card.children
    assert state.value == job._repr_mimebundle_()[0]["text/html"]
    assert "finished" in state.value
    assert "one\ntwo" in view.output.value
    assert buttons.children[0].layout.display == "none", "nothing is left to stop"


def test_the_live_card_stops_the_job(client, backend):
    backend.add("1", state=JobState.RUNNING)
    work = []
    card = LiveCard(client.job(1), work.append)
    card.children[1].children[0].click()
    for each in work[1:]:
        each()
    assert backend.bodies("StopJobs")[0]["JobIds"] == ["1"]
    work[0]()
    assert "cancelled" in card.children[0].value


def test_a_saved_live_card_is_the_static_card(client, backend, shell):
    backend.add("1", state=JobState.FINISHED)
    data, metadata = shown(shell, LiveCard(client.job(1), at_once))
    assert {"text/plain", "text/html", VIEW_MIME} <= set(data)
    assert "finished" in data["text/html"]
    assert metadata["ehpc"]["JobId"] == "1"


def test_nasty_output_stays_text_in_the_live_card(client, backend):
    nasty = b"<img src=x onerror=y>\x1b[31mred\x1b[0m\r\n50%\r100%\n"
    backend.add("1", state=JobState.RUNNING, plan=[JobState.FINISHED], stdout=nasty, job_name="<b>\x1b[1m")
    card = LiveCard(client.job(1), at_once)
    text = card.children[0].value + card.children[2].output.value
    assert "<img" not in text
    assert "<b>" not in text
    assert "\x1b" not in text
    assert "red\n100%" in text


@pytest.mark.parametrize("where", ["vscode", "lab", "terminal"])
def test_a_front_end_that_cannot_have_the_card_gets_the_widget(client, backend, shell, where):
    backend.add("1", state=JobState.FINISHED)
    if where != "terminal":
        shell.kernel = SimpleNamespace()
    if where == "vscode":
        shell.user_ns["__vsc_ipynb_file__"] = "/x.ipynb"
    job = client.job(1)
    bundle, _ = job._repr_mimebundle_()
    assert (VIEW_MIME in bundle) is (where == "vscode")
    assert "text/html" in bundle
    if where == "vscode":
        again, _ = job._repr_mimebundle_()
        assert again[VIEW_MIME] == bundle[VIEW_MIME], "shown twice it is one widget"


# --- the helper itself


def test_html_escapes_all_that_it_did_not_make():
    inner = html("<b>{}</b>", "<x>")
    assert html('<p title="{}">{}</p>', '"><y>', inner) == '<p title="&#34;&gt;&lt;y&gt;"><b>&lt;x&gt;</b></p>'
    assert "{0.__class__}" in html("{}", "{0.__class__}")


@pytest.mark.parametrize("path", sorted(Path(markup.__file__).parent.glob("*.py")), ids=lambda path: path.name)
def test_html_is_made_by_the_helper_alone(path):
    """A template is a literal: never an f-string, never put together by +."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            texts = [part.value for part in node.values if isinstance(part, ast.Constant)]
            assert not any(re.search(r"</?[a-z]+[ >]", text) for text in texts), f"line {node.lineno}"
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", "") in ("html", "Markup")
            and path.name != "markup.py"
        ):
            assert isinstance(node.args[0], ast.Constant), f"line {node.lineno}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x1b[1;31mb\x1b[0m", "ab"),
        ("\x1b]0;title\x07x\x1b]8;;http://e\x1b\\y", "xy"),
        ("a\x9b31mb\x1b(Bc", "abc"),
        ("a\nb\tc", "a b c"),
        ("left\u202eright", "left right"),
    ],
)
def test_plain_text_has_no_control_characters(text, expected):
    assert plain(text) == expected


def test_lines_written_over_keep_their_last_state():
    assert plain_lines("10%\r50%\r100%\r\ndone\x1b[K\n\ttab") == "100%\ndone\n\ttab"

"""The form: all fields, errors beside them, the job below; and never a password in a notebook."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from ipywidgets import Dropdown, Text, ToggleButton, Widget
from pydantic import Field, SecretStr
from traitlets import HasTraits

from ehpc_jupyter import Client, JobForm, JobSpec, Resources
from ehpc_jupyter.clusters.base import Verdict
from ehpc_jupyter.errors import InvalidParams, Problem, ServiceUnavailable, SubmitFailure
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.models.actions import CheckJobResponse, CreateJobRequest
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.models.spec import form as shown
from ehpc_jupyter.notebook.backend import KernelBackend
from ehpc_jupyter.notebook.fields import fields_of
from ehpc_jupyter.notebook.form import in_thread
from ehpc_jupyter.notebook.inputs import FieldBox
from ehpc_jupyter.notebook.sections import Folded
from ehpc_jupyter.schedulers.base import TrialAnswer
from tests.unit.jobs.fake import FakeCluster

PASSWORD = "pw-7c1e"
QUEUE, WALL_TIME, NODES = "JobSpec.JobQueue", "JobSpec.WallTime", "JobSpec.Resources.Nodes"


@pytest.fixture(autouse=True)
def no_widgets_left():
    yield
    Widget.close_all()


@pytest.fixture
def make(client):
    """Forms whose background work is done on the spot."""

    def made(kind=JobForm, **options):
        return kind(**{"client": client, "spawn": lambda work: work(), **options})

    return made


def note(form, path):
    place = form._boxes.get(path) or form._groups[path]
    return place.note.value


def is_error(form, path):
    return 'role="alert"' in note(form, path)


def type_in(form, path, text):
    form._boxes[path].control.value = text


def below(widget: Any) -> list[Any]:
    return [widget, *(inner for child in getattr(widget, "children", ()) for inner in below(child))]


# --- the fields


@pytest.mark.parametrize("field", [f for f in fields_of() if f.group != "hidden"], ids=lambda f: f.name)
def test_every_field_is_there_with_label_and_help(make, field):
    form = make()
    if field.is_group:
        assert field.help.split(".")[0] in note(form, field.path)
        return
    box = form._boxes[field.path]
    assert box in below(form)
    assert box.control.description == field.title
    assert box.control.tooltip == field.help
    # Where one chooses among clusters, the choices say it.
    assert bool(box.note.value) is (field.widget != "cluster")
    assert "`" not in box.note.value


class WiderSpec(JobSpec):
    licence: str | None = Field(None, title="Licence", examples=["ansys:2"], json_schema_extra=shown("software"))
    """The licences that the job needs."""

    plain_addition: str | None = None
    """A field without a word about forms."""


class WiderRequest(CreateJobRequest):
    job_spec: WiderSpec


class WiderForm(JobForm):
    request_model = WiderRequest


def test_a_field_added_to_the_model_is_in_the_form(make):
    form = make(WiderForm, script="x", licence="ansys:1")
    box = form._boxes["JobSpec.Licence"]
    assert box in below(form)
    assert (box.control.description, box.control.value, box.control.placeholder) == ("Licence", "ansys:1", "ansys:2")
    assert "licences that the job needs" in box.note.value
    assert form.spec.licence == "ansys:1"
    assert form._boxes["JobSpec.PlainAddition"] in below(form)


def test_what_most_people_need_is_open_and_the_rest_is_folded(make):
    form = make()
    parts = [w for w in below(form) if isinstance(w, Folded)]
    folded = {id(w) for part in parts for w in below(part)}
    for box in (w for w in below(form) if isinstance(w, FieldBox)):
        assert (id(box) in folded) == (box.field.group in {"output", "more"}), box.field.path
    assert [part.is_open for part in parts] == [False, False]
    parts[0].head.value = True
    assert parts[0].children[1].layout.display is None
    assert parts[1].children[1].layout.display == "none"


def test_defaults_are_filled_in(make):
    form = make(
        cluster="big",
        script="hostname",
        wall_time="1:30:00",
        resources=Resources(nodes=2),
        memory="4 GB",
        variables={"A": "1", "B": "x=y"},
        priority=3,
        job_queue="gpu",
    )
    assert form._boxes["JobSpec.Variables"].control.value == "A=1\nB=x=y"
    assert form._boxes["ClusterId"].control.value == "big"
    job = form.submit()
    assert job.cluster_id == "big"
    assert form.spec == JobSpec(
        script="hostname",
        wall_time="1:30:00",
        resources=Resources(nodes=2, memory="4GB"),
        variables={"A": "1", "B": "x=y"},
        priority=3,
        job_queue="gpu",
    )


def test_a_default_that_is_no_field(make):
    with pytest.raises(TypeError, match=r"JobForm\(\) got an unexpected keyword 'walltime'; did you mean wall_time"):
        make(walltime="1:00:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\n\nB = x=y", {"A": "1", "B": " x=y"}),
        ('[{"Name": "A", "Value": "1"}]', {"A": "1"}),
        ("  \n", None),
    ],
)
def test_variables_are_lines_or_json(make, text, expected):
    form = make(script="x")
    type_in(form, "JobSpec.Variables", text)
    assert form.spec == JobSpec(script="x", variables=expected)


def test_a_value_with_lines_is_shown_as_json(make):
    form = make(script="x", variables={"A": "1\n2"})
    assert form.spec == JobSpec(script="x", variables={"A": "1\n2"})


# --- errors beside the fields


def test_a_form_does_not_start_with_errors(make):
    form = make()
    assert not any(is_error(form, path) for path in form._boxes)
    assert form.spec is None


def test_a_wrong_value_is_told_beside_its_field_while_typing_and_goes_again(make, backend):
    form = make(script="x")
    type_in(form, WALL_TIME, "5 h")
    assert is_error(form, WALL_TIME)
    assert "write hours:minutes:seconds" in note(form, WALL_TIME)
    assert form.spec is None
    type_in(form, WALL_TIME, "0:05:00")
    assert not is_error(form, WALL_TIME)
    assert form.spec == JobSpec(script="x", wall_time="0:05:00")
    assert backend.bodies("CreateJob") == []


def test_a_line_of_variables_that_is_none_is_told_with_its_number(make):
    form = make(script="x")
    type_in(form, "JobSpec.Variables", "A=1\nB")
    assert "line 2 is &#39;B&#39;; write NAME=value" in note(form, "JobSpec.Variables")


def test_a_field_in_the_grid_and_its_group(make):
    form = make(script="#SBATCH -N 1\ntrue")
    type_in(form, NODES, "0")
    assert is_error(form, NODES)
    type_in(form, NODES, "2")
    assert not is_error(form, NODES)
    assert is_error(form, "JobSpec.Resources")
    assert "directives" in note(form, "JobSpec.Resources")


def test_an_error_in_a_folded_part_opens_it(make):
    form = make(script="x")
    type_in(form, "JobSpec.StdoutPath", "job.out")
    assert not form._sections.is_folded("output")
    assert form._sections.is_folded("more")


def test_submitting_shows_what_is_missing(make, backend):
    form = make()
    with pytest.raises(InvalidParams):
        form.submit()
    assert is_error(form, "JobSpec.Script")
    assert "say what to run" in note(form, "JobSpec.Script")
    assert "InvalidParams" in form._fault.value
    assert backend.bodies("CreateJob") == []


def test_the_servers_refusal_stands_beside_the_fields_it_names(make, backend):
    form = make(script="x")
    refusal = InvalidParams(
        Problem(WALL_TIME, "2:00:00 is more than 1:00:00"),
        Problem("JobSpec.Resources.Cores", "too many"),
        Problem("X", "<b>"),
    )
    refusal.request_id = "R-3"
    backend.before["CreateJob"] = [refusal]
    with pytest.raises(InvalidParams):
        form.submit()
    assert "2:00:00 is more than" in note(form, WALL_TIME)
    assert "too many" in note(form, "JobSpec.Resources.Cores")
    assert "X: &lt;b&gt;" in form._fault.value
    assert "RequestId R-3" in form._fault.value
    type_in(form, WALL_TIME, "1:00:00")
    assert form._fault.value == ""


def test_any_other_error_is_told_with_code_and_request(make, backend):
    form = make(script="x")
    error = SubmitFailure("sbatch: <b>no</b>", recommend="Ask your site.")
    error.request_id = "R-4"
    backend.before["CreateJob"] = [error]
    form._button.click()
    assert "sbatch: &lt;b&gt;no&lt;/b&gt;" in form._fault.value
    assert "Ask your site." in form._fault.value
    assert "AgentError.Job.SubmitFailure, RequestId R-4" in form._fault.value
    assert form.job is None
    assert (form._button.disabled, form._button.description) == (False, "Submit")


def test_a_fault_of_ours_is_told_too(make, backend):
    form = make(script="x")
    backend.before["CreateJob"] = [RuntimeError("oops")]
    form._button.click()
    assert "RuntimeError: oops" in form._fault.value
    assert not form._button.disabled


# --- submitting


def test_submit_gives_the_job_and_shows_how_it_goes(make):
    form = make(script="x", name="hello")
    jobs = []
    form.observe(lambda change: jobs.append(change["new"]), "job")
    job = form.submit()
    assert form.job is job
    assert jobs == [job]
    assert job.known().state is JobState.FINISHED
    assert "finished" in form._view.state.value
    assert "one\ntwo" in form._view.output.value
    assert form._view.stop.layout.display == "none"


def test_the_button_does_the_same_once(make, backend):
    waiting = []
    form = make(script="x", spawn=waiting.append)
    waiting.clear()
    form._button.click()
    assert form._button.description == "Submitting …"
    assert not form._button.disabled  # it would lose the keyboard's focus
    form._button.click()
    assert len(waiting) == 1
    waiting.pop()()
    assert len(backend.bodies("CreateJob")) == 1
    assert form._button.description == "Submit"


def test_output_from_the_cluster_is_text(make, backend):
    nasty = "<script>alert(1)</script>"
    form = make(script="x", name=nasty)
    create = backend._CreateJob

    def talking(body):
        answer = create(body)
        backend.jobs[answer.job_id].stdout = nasty.encode()
        return answer

    backend._CreateJob = talking
    form.submit()
    assert "&lt;script&gt;" in form._view.output.value
    assert "<script" not in form._view.output.value + form._view.state.value


def test_the_stop_button_stops(make, backend, fake_time):
    form = make(script="x")
    backend.plan = [JobState.RUNNING] * 50
    fake_time.on_sleep = lambda seconds: form._view.stop.click() if not backend.bodies("StopJobs") else None
    form.submit()
    assert form.job.known().state is JobState.CANCELLED
    assert len(backend.bodies("StopJobs")) == 1


def test_a_job_that_cannot_be_looked_at_says_so(make, backend, fake_time):
    form = make(script="x")
    backend.before["GetJob"] = [ServiceUnavailable("gone")] * 1000
    form.submit()
    assert "gone" in form._view.fault.value


def test_the_next_job_takes_the_place_of_the_first(make, backend, fake_time):
    later = []
    form = make(script="x", spawn=later.append)
    first = form.submit()
    second = form.submit()
    assert first.job_id != second.job_id
    for work in later:
        work()
    assert f"Job {second.job_id} " in form._view.state.value
    assert {body["JobId"] for body in backend.bodies("GetJob")} == {second.job_id}


def test_an_array_has_no_single_output(make, backend):
    form = make(script="x", array_request="1-3")
    create = backend._CreateJob

    def array(body):
        answer = create(body)
        fake = backend.jobs[answer.job_id]
        fake.detail = fake.detail.model_copy(update={"array_request": "1-3"})
        return answer

    backend._CreateJob = array
    form.submit()
    assert "form.job.stdout(task)" in form._view.output.value
    assert backend.bodies("GetJobLog") == []


def test_the_form_and_a_place_for_the_card_are_two_outputs(make, shell):
    from IPython.utils.capture import capture_output

    form = make(script="x")
    with capture_output() as shown_first:
        shell.display_formatter.format(form)
    widget, card = shown_first.outputs
    assert "application/vnd.jupyter.widget-view+json" in widget.data
    assert card.data["text/plain"] == ""
    with capture_output() as updates:
        form.submit()
    assert [o.data["application/vnd.ehpc.job.v1+json"]["State"] for o in updates.outputs] == [
        "QUEUED",
        "RUNNING",
        "FINISHED",
    ]


# --- what the cluster has


def test_clusters_and_queues_can_be_chosen_with_their_limits(make):
    form = make()
    assert dict(form._boxes["ClusterId"].control.options) == {
        "local: the local one": "local",
        "big: the big one": "big",
    }
    assert dict(form._boxes[QUEUE].control.options) == {
        "default: batch": "",
        "batch": "batch",
        "long": "long",
    }
    assert "Up to 1:00:00; 4 nodes" in note(form, QUEUE)


def test_another_cluster_has_other_queues(make):
    form = make(script="x", job_queue="batch")
    type_in(form, "ClusterId", "big")
    queue = form._boxes[QUEUE].control
    assert ("gpu", "gpu") in queue.options
    assert queue.value == "batch"  # what the user chose is not taken away; the cluster says that it is not there
    queue.value = "gpu"
    assert "8 GPUs on each" in note(form, QUEUE)
    assert form.submit().cluster_id == "big"
    assert form.spec.job_queue == "gpu"


def test_queues_that_cannot_be_listed_are_typed(make, backend):
    backend.before["ListQueues"] = [ServiceUnavailable("ssh: <no> route")]
    form = make(script="x", job_queue="batch")
    assert isinstance(form._boxes[QUEUE].control, Text)
    assert form._boxes[QUEUE].control.value == "batch"
    assert "could not be listed; type a name" in note(form, QUEUE)
    assert "ssh: &lt;no&gt; route" in note(form, QUEUE)
    type_in(form, QUEUE, "long")
    assert form.spec.job_queue == "long"
    assert "could not be listed" in note(form, QUEUE)
    type_in(form, "ClusterId", "big")
    assert isinstance(form._boxes[QUEUE].control, Dropdown)
    assert form._boxes[QUEUE].control.value == "long"
    assert "could not be listed" not in note(form, QUEUE)


def test_clusters_that_cannot_be_listed_are_typed(make, backend):
    backend.before["ListClusters"] = [ServiceUnavailable("no")]
    form = make(script="x")
    assert form._boxes["ClusterId"].control.value == "local"
    type_in(form, "ClusterId", "big")
    assert form.submit().cluster_id == "big"


def test_an_answer_about_a_cluster_that_is_no_longer_chosen_is_dropped(make):
    later = []
    form = make(spawn=later.append)
    _clusters, first_queues = later
    type_in(form, "ClusterId", "local")
    form._boxes["ClusterId"].fill("big")
    first_queues()  # asks about what is chosen now
    assert "gpu" in dict(form._boxes[QUEUE].control.options).values()


def test_background_work_is_a_daemon_thread():
    import threading

    seen, done = [], threading.Event()

    def work():
        seen.append(threading.current_thread().daemon)
        done.set()

    in_thread(work)
    assert done.wait(10)
    assert seen == [True]


# --- the password


def saved() -> str:
    return json.dumps(Widget.get_manager_state())


def test_a_password_is_in_no_saved_notebook(make, backend):
    form = make(script="x", runas_user="me")
    box = form._boxes["JobSpec.RunasUserPassword"]
    # As it comes from the browser.
    box.control.set_state({"value": PASSWORD})
    assert box.control.value == ""
    assert PASSWORD not in saved()
    assert PASSWORD not in repr(form) + repr(box.control) + repr(form.spec)
    assert form.spec.runas_user_password == SecretStr(PASSWORD)
    form.submit()
    assert backend.bodies("CreateJob")[0]["JobSpec"]["RunasUserPassword"] == PASSWORD
    assert PASSWORD not in saved()
    assert box.control.secret is None


def test_a_password_leaves_no_trace_towards_browsers(make, monkeypatch):
    form = make(script="x", runas_user="me")
    control = form._boxes["JobSpec.RunasUserPassword"].control
    sent: list[Any] = []
    control._send = lambda msg, buffers=None: sent.append(msg)
    control.set_state({"value": PASSWORD})
    assert PASSWORD not in json.dumps(sent)
    assert any(msg["state"].get("value") == "" for msg in sent)


def test_a_password_is_forgotten_after_a_refusal_too(make, backend):
    form = make(script="x", runas_user="me", runas_user_password=PASSWORD)
    backend.before["CreateJob"] = [SubmitFailure("no")]
    with pytest.raises(SubmitFailure):
        form.submit()
    assert form._boxes["JobSpec.RunasUserPassword"].control.secret is None
    assert PASSWORD not in saved()


def test_a_password_that_belongs_to_nobody_is_told_beside_it(make):
    form = make(script="x")
    form._boxes["JobSpec.RunasUserPassword"].control.set_state({"value": PASSWORD})
    assert "RunasUser" in note(form, "JobSpec.RunasUserPassword")
    assert PASSWORD not in saved()


def test_a_password_can_be_forgotten(make):
    form = make(script="x")
    box = form._boxes["JobSpec.RunasUserPassword"]
    button = box.children[1]
    assert button.layout.display == "none"
    box.control.set_state({"value": PASSWORD})
    assert (form.spec, button.layout.display) == (None, "")
    button.click()
    assert box.control.secret is None
    assert form.spec == JobSpec(script="x")
    assert button.layout.display == "none"


def test_the_form_is_observable(make):
    form = make()
    assert isinstance(form, HasTraits)
    specs = []
    form.observe(lambda change: specs.append(change["new"]), "spec")
    type_in(form, "JobSpec.Script", "hostname")
    assert specs == [JobSpec(script="hostname")]


def test_a_closed_form_follows_no_job(make, backend):
    later = []
    form = make(script="x", spawn=later.append)
    form.submit()
    form.close()
    for work in later[2:]:
        work()
    assert backend.bodies("GetJob") == []


# --- one of two ways to say what runs


def test_script_or_command_line(make, backend):
    form = make(script="hostname")
    script, command = form._boxes["JobSpec.Script"], form._boxes["JobSpec.CommandLine"]
    assert (script.layout.display, command.layout.display) == (None, "none")
    form._sections._what_runs.choice.value = "JobSpec.CommandLine"
    assert (script.layout.display, command.layout.display) == ("none", None)
    assert form.spec is None
    assert not is_error(form, "JobSpec.CommandLine")  # nothing was typed there yet
    command.control.value = "/bin"
    command.control.value = "-- ls"
    assert "full path after" in note(form, "JobSpec.CommandLine")
    command.control.value = "-- /bin/ls"
    assert form.spec == JobSpec(command_line="-- /bin/ls")
    form._sections._what_runs.choice.value = "JobSpec.Script"
    assert form.spec == JobSpec(script="hostname")  # what was typed there stayed


def test_a_command_line_as_default_is_shown(make):
    assert make(command_line="-- /bin/ls").spec == JobSpec(command_line="-- /bin/ls")
    with pytest.raises(TypeError, match="either script or command_line"):
        make(command_line="-- /bin/ls", script="x")


# --- limits and what is free


def test_a_limit_of_the_queue_is_told_while_typing(make, backend):
    form = make(script="x", job_queue="batch")
    type_in(form, WALL_TIME, "5:00:00")
    assert "more than 1:00:00, the most in queue batch" in note(form, WALL_TIME)
    assert form.spec is not None  # the cluster has the last word
    form._boxes[QUEUE].control.value = "long"
    assert not is_error(form, WALL_TIME)


def test_what_is_free_is_shown(make, backend):
    backend.queues["local"][0] |= {"idle_nodes": 3, "max_cores_per_node": 8, "max_memory_per_node": "16GB"}
    backend.queues["local"][1] |= {"state": "DRAIN", "idle_nodes": 0}
    form = make(job_queue="batch")
    options = dict(form._boxes[QUEUE].control.options)
    assert list(options) == ["default: batch (3 idle)", "batch (3 idle)", "long (DRAIN, 0 idle)"]
    assert "Up to 1:00:00; 3 of 4 nodes idle; 8 cores, 16GB on each" in note(form, QUEUE)
    form._boxes[QUEUE].control.value = "long"
    assert "The queue is DRAIN; 0 nodes idle" in note(form, QUEUE)


def test_what_is_filled_in_and_folded_is_named(make):
    form = make(script="x", priority=3, work_dir="~/x")
    titles = {w.head.description for w in below(form) if isinstance(w, Folded)}
    assert titles == {"Output files", "More: Priority, Working folder"}
    type_in(form, "JobSpec.Priority", "")
    assert "More: Working folder" in {w.head.description for w in below(form) if isinstance(w, Folded)}


# --- by the real service over a cluster in memory


@pytest.fixture
def service(tmp_path):
    made = JobService({"local": ClusterProfile(name="local")}, tmp_path / "jobs.sqlite", FakeCluster)
    yield made
    made.close()


@pytest.fixture
def live(make, service):
    return lambda **options: make(client=Client(backend=KernelBackend(service)), **options)


def test_check_says_what_the_cluster_would(live, service):
    form = live(script="hostname <x>")
    start = int(time.time()) + 7200
    answer = TrialAnswer(valid=True, start_time=start, node_list="node<1>")
    service.cluster("local").test = lambda job: Verdict(answer=answer)
    form._check_button.click()
    shown = form._verdict.value
    assert "✓ local would take this job" in shown
    assert "in 1:59:" in shown or "in 2:00:00" in shown
    assert "node&lt;1&gt;" in shown
    assert "#!/bin/sh" in shown
    assert service.cluster("local").submitted == []
    assert form._check_button.description == "Check"
    type_in(form, WALL_TIME, "0:05:00")
    assert form._verdict.value == ""  # it was about another job


def test_check_shows_problems_beside_the_fields(live, service):
    form = live(script="x", work_dir="/nowhere")
    words = "sbatch: error: <no>"
    problem = Problem("JobSpec.WorkDir", "the folder /nowhere does not exist")
    service.cluster("local").test = lambda job: Verdict((problem,), TrialAnswer(valid=False, words=words))
    answer = form.check()
    assert answer.valid is False
    assert "the folder /nowhere does not exist" in note(form, "JobSpec.WorkDir")
    assert not form._sections.is_folded("more")
    assert "Working folder" in form._verdict.value
    assert "sbatch: error: &lt;no&gt;" in form._verdict.value


def test_check_of_what_is_wrong_in_itself(make, backend):
    form = make(wall_time="5 h")
    with pytest.raises(InvalidParams):
        form.check()
    assert is_error(form, WALL_TIME)
    assert is_error(form, "JobSpec.Script")
    assert backend.bodies("CheckJob") == []


def test_check_without_an_answer(make, backend):
    backend._CheckJob = lambda body: None
    backend.before["CheckJob"] = [ServiceUnavailable("no route")]
    form = make(script="x")
    form._check_button.click()
    assert "no route" in form._fault.value
    assert form._verdict.value == ""


def test_a_password_goes_into_the_check_and_stays_for_the_submission(make, backend):
    backend._CheckJob = lambda body: CheckJobResponse(valid=True, script="", command="")
    form = make(script="x", runas_user="me", runas_user_password=PASSWORD)
    form.check()
    assert backend.bodies("CheckJob")[0]["JobSpec"]["RunasUserPassword"] == PASSWORD
    assert PASSWORD not in saved()
    assert form._boxes["JobSpec.RunasUserPassword"].control.secret is not None


def toggle(form, label):
    next(w for w in below(form) if isinstance(w, ToggleButton) and w.description.startswith(label)).value = True


def test_copy_as(make):
    form = make(script="echo '<b>'\n")
    assert form._copy.layout.display == "none"
    toggle(form, "Copy")
    assert "%%ehpc --cluster local\necho &#39;&lt;b&gt;&#39;" in form._copy.area.value
    type_in(form, WALL_TIME, "0:05:00")
    assert "--wall-time 0:05:00" in form._copy.area.value
    form._copy.kind.index = 1
    assert "wall_time=&#34;0:05:00&#34;" in form._copy.area.value
    type_in(form, WALL_TIME, "5 h")
    assert "wrong or missing" in form._copy.area.value


def test_a_password_is_not_copied(make):
    form = make(script="x", runas_user="me", runas_user_password=PASSWORD)
    toggle(form, "Copy")
    assert "--runas-user-password" in form._copy.area.value
    assert PASSWORD not in saved()


def test_templates_are_saved_and_loaded_for_every_notebook(live):
    form = live(script="hostname", wall_time="0:05:00", variables={"A": "1"}, name="x", cores=1)
    toggle(form, "Templates")
    form._templates.name.value = "usual"
    form._templates.save_button.click()
    assert "Saved usual." in form._templates.note.value
    other = live(command_line="-- /bin/ls", nodes=7, priority=3)
    toggle(other, "Templates")
    assert dict(other._templates.choice.options) == {"usual": "usual"}
    other._templates.load_button.click()
    assert other.spec == form.spec
    assert other._boxes["JobName"].control.value == "x"
    assert other._boxes["JobSpec.Variables"].control.value == "A=1"
    assert "Loaded usual." in other._templates.note.value
    assert live(template="usual", wall_time="0:06:00").spec == JobSpec(
        script="hostname", wall_time="0:06:00", variables={"A": "1"}, resources=Resources(cores=1)
    )


def test_a_template_is_replaced_and_deleted_with_two_clicks(live, service):
    form = live(script="hostname")
    toggle(form, "Templates")
    drawer = form._templates
    assert (drawer.load_button.disabled, drawer.delete_button.disabled) == (True, True)
    drawer.name.value = "usual"
    drawer.save_button.click()
    drawer.save_button.click()
    assert "in place of the one of that name" in drawer.note.value
    drawer.delete_button.click()
    assert drawer.delete_button.description == "Really delete?"
    drawer.delete_button.click()
    assert "Deleted usual." in drawer.note.value
    assert service.call("ListTemplates", {})["Templates"] == []
    assert drawer.delete_button.disabled


def test_what_is_wrong_is_not_kept(live, service):
    form = live(script="x", wall_time="5 h", runas_user="me", runas_user_password=PASSWORD)
    toggle(form, "Templates")
    form._templates.name.value = "usual"
    form._templates.save_button.click()
    assert is_error(form, WALL_TIME)
    assert "another look" in form._templates.note.value
    type_in(form, WALL_TIME, "0:05:00")
    form._templates.name.value = ""
    form._templates.save_button.click()
    assert "1 to 100 characters" in form._templates.note.value
    form._templates.name.value = "usual"
    form._templates.save_button.click()
    (kept,) = service.call("ListTemplates", {})["Templates"]
    assert kept["Fields"]["JobSpec.RunasUser"] == "me"
    assert PASSWORD not in json.dumps(kept) + saved()


def test_a_field_that_is_no_more_is_told(live, service):
    service.store.templates.save("old", {"JobSpec.Gone": "1", "JobSpec.WallTime": "0:05:00"})
    form = live(script="x")
    toggle(form, "Templates")
    form._templates.load_button.click()
    assert form._boxes[WALL_TIME].control.value == "0:05:00"
    assert "JobSpec.Gone: there is no such field any more" in form._templates.note.value


def test_a_form_by_a_template_that_does_not_exist(live):
    with pytest.raises(InvalidParams, match="there is no template 'x'"):
        live(template="x")

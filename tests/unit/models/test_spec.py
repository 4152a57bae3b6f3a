"""Values as the API page writes them are taken; everything else is refused with its field and a reason."""

from __future__ import annotations

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehpc_jupyter.errors import InvalidParams, parse_problems
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.spec import JobSpec, Resources, split_command
from ehpc_jupyter.models.values import ArrayRange, Memory, WallTime

#: The page's own examples, all at once.
PAGE = {
    "ClusterId": "ehpc-hz-FYUr32****",
    "JobName": "TestJob",
    "JobSpec": {
        "CommandLine": "/home/xxx/test.job",
        "RunasUser": "testuser",
        "RunasUserPassword": "xxx",
        "Priority": "1",
        "StdoutPath": "/home/xxx/job.out",
        "StderrPath": "/home/xxx/job.err",
        "JobQueue": "comp",
        "ArrayRequest": "1-5:2",
        "Variables": '[{"Name":"x", "Value":"y"}]',
        "PostCmdLine": "/bin/sleep 10",
        "WallTime": "360:48:50",
        "Resources": {"Nodes": 2, "Cores": 2, "Memory": "4gb", "Gpus": 1},
    },
}


def refusal(body):
    with pytest.raises(InvalidParams) as failure:
        CreateJobRequest.from_wire(body)
    return {problem.field: problem.message for problem in failure.value.problems}


def test_the_pages_own_example():
    request = CreateJobRequest.from_wire(PAGE)
    spec = request.job_spec
    assert (spec.wall_time.seconds, spec.resources.memory.mb, spec.priority) == (1298930, 4096, 1)
    assert [t for t in range(10) if t in spec.array_request] == [1, 3, 5]
    assert (spec.variables[0].name, spec.variables[0].value) == ("x", "y")
    assert spec.runas_user_password.get_secret_value() == "xxx"


def test_every_parameter_of_the_page_has_its_wire_name():
    assert set(PAGE["JobSpec"]) <= {field.alias for field in JobSpec.model_fields.values()}
    assert {field.alias for field in Resources.model_fields.values()} == set(PAGE["JobSpec"]["Resources"])


def test_job_spec_may_be_json_text_and_numbers_may_be_text():
    spec = {**PAGE["JobSpec"], "Resources": {"Nodes": "2"}, "Priority": 3}
    request = CreateJobRequest.from_wire({**PAGE, "JobSpec": json.dumps(spec)})
    assert (request.job_spec.resources.nodes, request.job_spec.priority) == (2, 3)


def test_wire_form_is_stable_and_has_no_password():
    request = CreateJobRequest.from_wire(PAGE)
    wire = request.to_wire()
    assert "xxx" not in json.dumps(wire).replace("/home/xxx", "")
    assert "xxx" not in repr(request).replace("/home/xxx", "")
    assert CreateJobRequest.from_wire(wire).to_wire() == wire
    assert request.to_body()["JobSpec"]["RunasUserPassword"] == "xxx"


def test_all_problems_at_once_each_with_its_field():
    found = refusal(
        {
            "JobName": "a\nb",
            "Foo": 1,
            "JobSpec": {
                "WallTime": "soon",
                "Priority": "10",
                "ArrayRequest": "5-1",
                "StdoutPath": "here",
                "Variables": '[{"Name":"1x","Value":"y"},{"Name":"PPID","Value":"1"}]',
                "Resources": {"Nodes": 0, "Memory": "4", "Coers": 1},
                "RunasUserPassword": "hush",
            },
        }
    )
    assert set(found) == {
        "ClusterId",
        "JobName",
        "Foo",
        "JobSpec.CommandLine",
        "JobSpec.WallTime",
        "JobSpec.Priority",
        "JobSpec.ArrayRequest",
        "JobSpec.StdoutPath",
        "JobSpec.Variables",
        "JobSpec.Resources.Nodes",
        "JobSpec.Resources.Memory",
        "JobSpec.Resources.Coers",
        "JobSpec.RunasUserPassword",
    }
    assert "Cores" in found["JobSpec.Resources.Coers"]
    assert "hush" not in str(found)


def test_the_message_can_be_taken_apart_again():
    with pytest.raises(InvalidParams) as failure:
        CreateJobRequest.from_wire({"JobSpec": {"WallTime": "x\ny", "Priority": "z"}})
    assert parse_problems(failure.value.message) == tuple(
        type(p)(p.field, " ".join(p.message.split())) for p in failure.value.problems
    )


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        ({"CommandLine": "a.sh", "Script": "true"}, "CommandLine", "not both"),
        ({"CommandLine": "-- ping"}, "CommandLine", "full path"),
        ({"CommandLine": "--wrap=x"}, "CommandLine", "looks like an option"),
        ({"CommandLine": "a.sh 'x"}, "CommandLine", "no closing quotation"),
        ({"CommandLine": "a.sh \x00"}, "CommandLine", "control character"),
        ({"CommandLine": "-- "}, "CommandLine", "nothing to run"),
        ({"Script": "a\r\nb"}, "Script", "Windows"),
        ({"Script": "a\0b"}, "Script", "NUL"),
        ({"Script": "#SBATCH -n 2\ntrue", "Resources": {"Nodes": 1}}, "Resources", "#SBATCH -n 2"),
        ({"Script": "true", "StdoutPath": "/x/%q"}, "StdoutPath", "%j"),
        ({"Script": "true", "StdoutPath": "/x/"}, "StdoutPath", "folder"),
        ({"Script": "true", "JobQueue": "a b"}, "JobQueue", "name of a queue"),
        ({"Script": "true", "JobQueue": "--x"}, "JobQueue", "name of a queue"),
        ({"Script": "true", "RunasUser": "-l root"}, "RunasUser", "name of an account"),
        ({"Script": "true", "Variables": "{"}, "Variables", "no JSON"),
        ({"Script": "true", "Variables": {"a": "\0"}}, "Variables", "NUL"),
        ({"Script": "true", "Variables": '[{"Name":"a","Value":"1"},{"Name":"a","Value":"2"}]'}, "Variables", "twice"),
        ({"Script": "true", "Priority": True}, "Priority", "0 to 9"),
    ],
)
def test_refused_with_reason(spec, field, words):
    found = refusal({"ClusterId": "local", "JobSpec": spec})
    assert list(found) == [f"JobSpec.{field}"]
    assert words in found[f"JobSpec.{field}"]


def test_empty_texts_are_absent():
    request = CreateJobRequest.from_wire(
        {
            "ClusterId": "local",
            "JobName": " ",
            "JobSpec": {"Script": "true", "JobQueue": "", "WallTime": " ", "Priority": ""},
        }
    )
    assert request.to_wire() == {"ClusterId": "local", "JobSpec": {"Script": "true"}}


@given(st.integers(1, 10**9))
def test_wall_time_round_trip(seconds):
    assert WallTime.parse(str(WallTime(seconds))).seconds == seconds
    assert WallTime.parse(datetime.timedelta(seconds=min(seconds, 10**8))).seconds == min(seconds, 10**8)


@given(st.integers(1, 10**9 - 1))
def test_memory_round_trip(mb):
    assert Memory.parse(str(Memory(mb))).mb == mb


@pytest.mark.parametrize(
    ("text", "mb"), [("4gb", 4096), ("4GB", 4096), ("1.5Gb", 1536), ("512 mb", 512), ("1T", 1 << 20)]
)
def test_memory_forms(text, mb):
    assert Memory.parse(text).mb == mb


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 1000))
def test_array_counts_what_it_contains(first, more, step):
    tasks = ArrayRange(first, first + more, step)
    assert ArrayRange.parse(str(tasks)) == tasks
    assert len(tasks) == len(range(first, first + more + 1, step))
    assert (first + step in tasks) == (more >= step)


def test_a_range_of_three_million_costs_nothing():
    assert len(ArrayRange.parse("0-2999999")) == 3_000_000


@given(st.text())
def test_no_text_breaks_the_command_line(text):
    try:
        words = split_command(text)
    except ValueError as error:
        assert str(error)
    else:
        assert words[0]


@given(
    st.dictionaries(
        st.sampled_from([f.alias for f in JobSpec.model_fields.values()]), st.text() | st.integers() | st.none()
    )
)
def test_nonsense_is_refused_and_never_crashes(spec):
    try:
        CreateJobRequest.from_wire({"ClusterId": "local", "JobSpec": spec})
    except InvalidParams as failure:
        assert all(problem.field.startswith("JobSpec") for problem in failure.problems)


@pytest.mark.parametrize("name", ["BASH_CMDS", "IFS", "ehpc_code", "x" * 256])
def test_names_that_a_shell_or_the_jobs_script_would_change_are_refused(name):
    with pytest.raises(InvalidParams, match="Variables"):
        JobSpec.from_wire({"Script": "true", "Variables": [{"Name": name, "Value": "1"}]})

"""Templates: saved by name, one written form, never a password, the same for every notebook."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ehpc_jupyter.errors import InvalidParams
from ehpc_jupyter.jobs.schema import SCHEMAS
from ehpc_jupyter.jobs.service import JobService
from ehpc_jupyter.models.fields import body_of, fields_of, texts_of
from ehpc_jupyter.models.job_actions import CreateJobRequest
from ehpc_jupyter.models.templates import LARGEST_TEMPLATE, MOST_TEMPLATES, TEMPLATE_PATHS, template_texts
from tests.unit.jobs.fake import FakeCluster

FIELDS = {"ClusterId": "local", "JobSpec.WallTime": "1:00:00", "JobSpec.Script": "hostname"}
PASSWORD = "pw-9a3f"


@pytest.fixture
def service(tmp_path):
    made = JobService({}, tmp_path / "jobs.sqlite", FakeCluster)
    yield made
    made.close()


def listed(service):
    return {item["Name"]: item["Fields"] for item in service.call("ListTemplates", {})["Templates"]}


def problems(service, name, fields):
    with pytest.raises(InvalidParams) as caught:
        service.call("SaveTemplate", {"Name": name, "Fields": fields})
    return {p.field: p.message for p in caught.value.problems}


def test_save_load_replace_delete(service):
    service.call("SaveTemplate", {"Name": "one hour", "Fields": FIELDS})
    service.call("SaveTemplate", {"Name": "A big one", "Fields": {"JobSpec.Resources.Nodes": "8"}})
    (big, hour) = service.call("ListTemplates", {})["Templates"]
    assert (big["Name"], hour["Name"], hour["Fields"]) == ("A big one", "one hour", FIELDS)
    assert hour["SavedTime"] > 1_700_000_000
    service.call("SaveTemplate", {"Name": " one hour ", "Fields": {"JobSpec.WallTime": "2:00:00"}})
    assert listed(service)["one hour"] == {"JobSpec.WallTime": "2:00:00"}
    service.call("DeleteTemplate", {"Name": "one hour"})
    assert list(listed(service)) == ["A big one"]


def test_another_process_on_the_same_file_sees_them(service, tmp_path):
    service.call("SaveTemplate", {"Name": "x", "Fields": FIELDS})
    other = JobService({}, tmp_path / "jobs.sqlite", FakeCluster)
    with contextlib.closing(other):
        assert listed(other) == {"x": FIELDS}


def test_a_value_gets_its_one_written_form(service):
    fields = {"JobSpec.Resources.Memory": "4 gb", "JobSpec.After": "12", "JobSpec.Priority": " 3", "JobName": "  "}
    service.call("SaveTemplate", {"Name": "x", "Fields": json.dumps(fields)})
    assert listed(service)["x"] == {
        "JobSpec.Resources.Memory": "4GB",
        "JobSpec.After": "ok:12",
        "JobSpec.Priority": "3",
    }


def test_a_template_need_not_be_a_whole_job_but_what_is_in_it_must_be_right(service):
    found = problems(
        service, "x", {"JobSpec.WallTime": "5 h", "JobSpec.Resources.Nodes": "0", "JobSpec.JobQueue": "batch"}
    )
    assert set(found) == {"Fields.JobSpec.WallTime", "Fields.JobSpec.Resources.Nodes"}
    assert "write hours:minutes:seconds" in found["Fields.JobSpec.WallTime"]
    both = {"JobSpec.Script": "#SBATCH -N 1\ntrue", "JobSpec.Resources.Nodes": "2"}
    assert "directives" in problems(service, "x", both)["Fields.JobSpec.Resources"]
    assert listed(service) == {}


def test_a_field_that_does_not_exist(service):
    found = problems(service, "x", {"JobSpec.Walltime": "1:00:00", "JobSpec.Resources": "{}", "ClientToken": "t"})
    assert found["Fields.JobSpec.Walltime"] == "there is no such field; did you mean JobSpec.WallTime?"
    assert set(found) == {"Fields.JobSpec.Walltime", "Fields.JobSpec.Resources", "Fields.ClientToken"}


def test_a_password_is_refused_by_name_and_not_repeated(service, tmp_path):
    found = problems(service, "x", {**FIELDS, "JobSpec.RunasUserPassword": PASSWORD})
    assert "never kept" in found["Fields.JobSpec.RunasUserPassword"]
    assert PASSWORD not in str(found)
    assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x1bb", "x" * 101, "\ud800"])
def test_a_name_that_is_none(service, name):
    assert "1 to 100 characters" in problems(service, name, FIELDS)["Name"]


def test_nothing_to_save(service):
    assert "nothing is filled in" in problems(service, "x", {"JobName": " "})["Fields"]


def test_sizes_are_bounded(service):
    found = problems(service, "x", {"JobSpec.Script": "x" * LARGEST_TEMPLATE})
    assert f"{LARGEST_TEMPLATE} are the most" in found["Fields"]
    for number in range(MOST_TEMPLATES):
        service.call("SaveTemplate", {"Name": f"t{number}", "Fields": {"JobName": "x"}})
    assert f"there are {MOST_TEMPLATES} templates" in problems(service, "one more", FIELDS)["Name"]
    service.call("SaveTemplate", {"Name": "t7", "Fields": FIELDS})
    assert listed(service)["t7"] == FIELDS


def test_deleting_what_is_not_there(service):
    service.call("SaveTemplate", {"Name": "one hour", "Fields": FIELDS})
    with pytest.raises(InvalidParams, match="did you mean one hour"):
        service.call("DeleteTemplate", {"Name": "one hours"})


def test_many_at_once(service):
    def save(start):
        for number in range(start, start + 20):
            service.call("SaveTemplate", {"Name": f"t{number}", "Fields": FIELDS})

    threads = [threading.Thread(target=save, args=(20 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(listed(service)) == 80


def test_a_file_from_before_templates_gets_the_table(tmp_path):
    path = tmp_path / "jobs.sqlite"
    before = next(number for number, schema in enumerate(SCHEMAS) if "templates" in schema)
    with contextlib.closing(sqlite3.connect(path)) as db:
        for schema in SCHEMAS[:before]:
            db.executescript(schema)
        db.execute(f"PRAGMA user_version = {before}")
    made = JobService({}, path, FakeCluster)
    with contextlib.closing(made):
        made.call("SaveTemplate", {"Name": "x", "Fields": FIELDS})
        assert listed(made) == {"x": FIELDS}


def test_every_field_but_secrets_can_be_kept():
    shown = {f.path for f in fields_of() if not f.is_group and f.group != "hidden"}
    assert shown - set(TEMPLATE_PATHS) == {"JobSpec.RunasUserPassword"}


@given(
    st.fixed_dictionaries(
        {"ClusterId": st.just("local"), "JobSpec.Script": st.text(min_size=1)},
        optional={
            "JobSpec.WallTime": st.from_regex(r"\d{1,3}:[0-5]\d:[0-5]\d", fullmatch=True),
            "JobSpec.Variables": st.dictionaries(st.from_regex(r"A[A-Z]{0,3}", fullmatch=True), st.text()).map(
                lambda d: json.dumps([{"Name": n, "Value": v} for n, v in d.items()])
            ),
            "JobSpec.Resources.Cores": st.integers(1, 999).map(str),
        },
    )
)
@settings(deadline=None)
def test_what_is_kept_makes_the_same_request(fields):
    try:
        request = CreateJobRequest.from_wire(body_of(fields))
    except InvalidParams:
        return
    kept = template_texts(fields)
    assert kept == texts_of(request)
    assert CreateJobRequest.from_wire(body_of(kept)) == request
    assert template_texts(kept) == kept

"""One model, many faces: a field that is added to it is in the form, in the magic, and in the schema that the panel is made of."""

from __future__ import annotations

import dataclasses
import json

import pytest
from ipywidgets import Widget
from pydantic import Field

from ehpc_jupyter import Client, JobForm, JobSpec
from ehpc_jupyter.jobs.actions_table import ACTIONS
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.spec import form
from ehpc_jupyter.notebook.copies import as_cell, as_python
from ehpc_jupyter.notebook.flags import help_text
from ehpc_jupyter.notebook.magic import EhpcMagic


class WiderSpec(JobSpec):
    licence: str | None = Field(None, examples=["ansys:2"], json_schema_extra=form("more"))
    """The licences that the job needs."""


class WiderRequest(CreateJobRequest):
    job_spec: WiderSpec


class WiderForm(JobForm):
    request_model = WiderRequest


class WiderMagic(EhpcMagic):
    request_model = WiderRequest


class Keeper(Client):
    """Keeps what it is asked to submit."""

    def __init__(self):
        super().__init__(backend=Nobody())
        self.asked = []

    def create(self, request):
        self.asked.append(request)
        raise SystemExit


class Nobody:
    def call(self, action, body, timeout_s):
        return {"Queues": [], "Clusters": [], "PageNumber": "1", "PageSize": 1, "TotalCount": 0}

    def describe(self):
        return "nobody"


def test_in_the_form():
    shown = WiderForm(client=Keeper(), spawn=lambda work: work(), script="x")
    shown._boxes["JobSpec.Licence"].control.value = "ansys:1"
    assert shown.spec.licence == "ansys:1"
    assert "licences that the job needs" in json.dumps(Widget.get_manager_state())
    Widget.close_all()


def test_in_the_magic():
    client = Keeper()
    with pytest.raises(SystemExit):
        WiderMagic(None, client)("--licence ansys:1", "true")
    assert client.asked[0].job_spec.licence == "ansys:1"
    assert "--licence LICENCE" in help_text(WiderRequest)
    assert "The licences that the job needs." in " ".join(help_text(WiderRequest).split())


def test_in_what_is_copied():
    request = WiderRequest.from_wire({"ClusterId": "local", "JobSpec": {"Script": "x", "Licence": "a b"}})
    assert "--licence 'a b'" in as_cell(request)
    assert 'licence="a b"' in as_python(request)


async def test_in_the_panels_schema(call, monkeypatch):
    monkeypatch.setitem(ACTIONS, "CreateJob", dataclasses.replace(ACTIONS["CreateJob"], request=WiderRequest))
    status, schemas = await call("schema", method="GET")
    assert status == 200
    field = schemas["CreateJob"]["$defs"]["WiderSpec"]["properties"]["Licence"]
    assert field["x-ehpc"] == {"group": "more", "widget": "text"}
    assert field["description"] == "The licences that the job needs."

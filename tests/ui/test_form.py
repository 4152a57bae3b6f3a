"""The form by mouse and keyboard, in a real browser, on the real Slurm: Check, Copy as, templates, another submission."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
from playwright.sync_api import expect

from tests.conftest import wait_for
from tests.ui.test_faces import assert_nothing_sticks_out, card_of, contrast

PASSWORD = "pw-3f9d"


@pytest.fixture
def form(jupyterlab, desk):
    """A notebook with a form in its first cell."""

    def opened(name, *cells):
        desk.notebook(name, "from ehpc_jupyter import JobForm\nform = JobForm(cluster='slurm')\nform", *cells)
        jupyterlab.open_notebook(name)
        jupyterlab.run_all()
        area = jupyterlab.page.locator(".jp-OutputArea").first
        expect(area.get_by_label("Queue").locator("option", has_text="debug").first).to_be_attached()
        return area

    return opened


def button(area, name):
    return area.get_by_role("button", name=name, exact=True)


def test_check_then_submit_then_again_with_a_change(form, jupyterlab):
    area = form("check.ipynb")
    expect(area.get_by_text(re.compile(r"\d of \d+ nodes? idle"))).to_be_visible()
    area.get_by_role("textbox", name="Script").fill("echo value $((6 * 7))")
    area.get_by_label("Nodes").fill("999")
    expect(area.get_by_text("999 is more than queue")).to_be_visible()
    area.get_by_label("Nodes").fill("1")
    expect(area.get_by_text("999 is more than queue")).to_be_hidden()
    button(area, "More").click()
    area.get_by_label("Working folder").fill("/no/such/folder")
    button(area, "Check").click()
    expect(area.get_by_text("slurm would not take this job")).to_be_visible()
    expect(area.locator(".ehpc-note").get_by_text("the folder /no/such/folder does not exist")).to_be_visible()
    jupyterlab.shot("refused")
    area.get_by_label("Working folder").fill("/tmp")
    expect(area.get_by_text("slurm would not take this job")).to_be_hidden()
    # From here on by the keyboard alone.
    button(area, "Check").focus()
    jupyterlab.page.keyboard.press("Enter")
    expect(area.get_by_text("slurm would take this job")).to_be_visible()
    expect(area.get_by_text("at once, if submitted now")).to_be_visible()
    area.get_by_text("The script", exact=True).click()
    expect(area.get_by_text("#!/bin/sh")).to_be_visible()
    jupyterlab.shot("checked")
    button(area, "Submit").focus()
    jupyterlab.page.keyboard.press("Enter")
    card = card_of(jupyterlab, "value 42")
    expect(card.get_by_text("Finished")).to_be_visible()
    area.get_by_role("textbox", name="Script").fill("echo second $((6 * 8))")
    button(area, "Submit").click()
    expect(card_of(jupyterlab, "second 48").get_by_text("Finished")).to_be_visible()
    expect(jupyterlab.page.locator(".jp-ehpc-Card")).to_have_count(1)


def test_what_is_copied_runs(form, jupyterlab, desk):
    jupyterlab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    area = form("copy.ipynb", "%load_ext ehpc_jupyter", "pass")
    area.get_by_role("textbox", name="Script").fill('echo "it\'s $((40 + 2))"\nsleep 0')
    area.get_by_label("Job name").fill("it's 'copied'")
    area.get_by_role("button", name="Copy as").click()
    text = area.get_by_role("textbox", name="The job, to be pasted into a cell")
    expect(text).to_have_value(re.compile("^%%ehpc --cluster slurm --name "))
    button(area, "Copy").click()
    expect(button(area, "Copied")).to_be_visible()
    cell = jupyterlab.page.evaluate("navigator.clipboard.readText()")
    assert cell == text.input_value()
    button(area, "Python").click()
    expect(text).to_have_value(re.compile("^from ehpc_jupyter import Client"))
    jupyterlab.shot("python")
    python = text.input_value()
    desk.notebook("pasted.ipynb", "%load_ext ehpc_jupyter", cell, python)
    jupyterlab.open_notebook("pasted.ipynb")
    jupyterlab.run_all()
    cards = card_of(jupyterlab, "it's 'copied'")
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("it's 42")
    expect(cards.last).to_contain_text("it's 42")


def test_templates(form, jupyterlab, desk):
    area = form("save.ipynb")
    area.get_by_role("textbox", name="Script").fill("echo from a template")
    area.get_by_label("Wall time").fill("0:07:00")
    area.get_by_role("button", name="Templates").click()
    area.get_by_label("Save as").fill("seven minutes")
    button(area, "Save").click()
    expect(area.get_by_text("Saved seven minutes.")).to_be_visible()
    assert desk.server.call("ListTemplates")["Templates"][0]["Name"] == "seven minutes"
    area = form("load.ipynb")
    area.get_by_role("button", name="Templates").click()
    expect(area.get_by_label("Saved templates")).to_have_value("seven minutes")
    button(area, "Load").click()
    expect(area.get_by_label("Wall time")).to_have_value("0:07:00")
    expect(area.get_by_role("textbox", name="Script")).to_have_value("echo from a template")
    jupyterlab.shot("loaded")
    button(area, "Delete").click()
    button(area, "Really delete?").click()
    expect(area.get_by_text("Deleted seven minutes.")).to_be_visible()
    assert desk.server.call("ListTemplates")["Templates"] == []


def test_dark_and_narrow_and_no_password_in_the_file(jupyterlab, desk, form):
    page = jupyterlab.page
    desk.theme("JupyterLab Dark")
    page.set_viewport_size({"width": 640, "height": 1000})
    try:
        area = form("secret.ipynb")
    finally:
        desk.theme("JupyterLab Light")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    area.get_by_role("textbox", name="Script").fill("true")
    button(area, "More").click()
    area.get_by_label("Run as user").fill("ehpcuser")
    secret = area.get_by_label("Password of that user")
    secret.fill(PASSWORD)
    secret.press("Tab")
    expect(secret).to_have_value("")
    area.get_by_role("button", name="Copy as").click()
    area.get_by_role("button", name="Templates").click()
    area.get_by_label("Save as").fill("secret")
    button(area, "Save").click()
    expect(area.get_by_text("Saved secret.")).to_be_visible()
    jupyterlab.shot("secret")
    box = area.locator(".ehpc-form")
    assert_nothing_sticks_out(box)
    for text in (box.locator(".ehpc-note span").first, box.locator(".widget-label").first):
        assert contrast(text) >= 4.5
    jupyterlab.save()
    file = desk.folder / "secret.ipynb"
    wait_for(lambda: nbformat.read(file, 4).cells[0].outputs, what="the saved notebook")
    assert PASSWORD not in file.read_text()
    assert PASSWORD not in json.dumps(desk.server.call("ListTemplates"))
    desk.server.call("DeleteTemplate", Name="secret")

"""The panel's orders to several jobs, its form's check and its templates, in a real browser on the real Slurm."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.conftest import wait_for
from tests.ui.test_faces import assert_nothing_sticks_out, contrast


@pytest.fixture
def panel(jupyterlab):
    jupyterlab.open()
    panel = jupyterlab.open_panel()
    panel.get_by_label("Cluster", exact=True).select_option("slurm")
    return panel


@pytest.fixture
def blocker(desk):
    """A job that runs until the test is over, for others to wait for."""
    job_id = desk.server.call("CreateJob", ClusterId="slurm", JobName="blocker", JobSpec={"Script": "sleep 300"})[
        "JobId"
    ]
    yield job_id
    desk.server.call("StopJobs", ClusterId="slurm", JobIds=[job_id])


def row_of(panel, name):
    return panel.locator(".jp-ehpc-Row").filter(has_text=name)


def test_several_jobs_are_held_released_stopped_and_deleted(jupyterlab, desk, panel, blocker):
    names = [f"several-{n}" for n in range(3)]
    later = {"Script": "sleep 300", "After": f"any:{blocker}"}
    for name in names:
        desk.server.call("CreateJob", ClusterId="slurm", JobName=name, JobSpec=later)
    panel.get_by_label("Filter by name").fill("several-")
    page = jupyterlab.page
    for name in names:
        expect(row_of(panel, name)).to_contain_text("Queued")
    expect(panel.get_by_role("tab", name="Jobs (3)")).to_be_visible()
    before = panel.locator(".jp-ehpc-Orders").bounding_box()
    panel.get_by_label("Select all").check()
    assert panel.locator(".jp-ehpc-Orders").bounding_box() == before
    expect(panel.get_by_role("button", name="Release 0 of 3")).to_have_attribute("aria-disabled", "true")
    panel.get_by_role("button", name="Hold 3 of 3").click()
    expect(panel.get_by_text("Hold: 3 held")).to_be_visible()
    for name in names:
        expect(row_of(panel, name)).to_contain_text("Held")
    jupyterlab.shot("held")
    panel.get_by_role("button", name="Release 3 of 3").click()
    expect(row_of(panel, names[0])).to_contain_text("Queued")
    panel.get_by_role("button", name="Stop 3 of 3").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Stop 3 jobs").click()
    for name in names:
        expect(row_of(panel, name)).to_contain_text("Cancelled")
    listed = desk.server.call("ListJobs", ClusterId="slurm", JobFilter={"JobName": "several-"})["Jobs"]
    folders = [job["Detail"]["Folder"] for job in listed]
    panel.get_by_role("button", name="Delete 3 of 3").click()
    page.locator(".jp-Dialog").get_by_label("Remove their folders").check()
    jupyterlab.shot("delete")
    page.locator(".jp-Dialog").get_by_role("button", name="Delete").click()
    expect(panel.get_by_text("No job fits the filter.")).to_be_visible()
    wait_for(
        lambda: not desk.lab.run("sh", "-c", f"ls -d {' '.join(folders)} 2>/dev/null || true", user="ehpcuser"),
        what="the folders' end",
    )


def test_details_tell_all_and_lose_nothing_when_narrow(jupyterlab, desk, panel):
    desk.server.call(
        "CreateJob",
        ClusterId="slurm",
        JobName="told",
        JobSpec={"Script": "echo told; exit 5", "WallTime": "0:10:00", "Resources": {"Memory": "100MB"}},
    )
    jupyterlab.make_panel_wide(300)
    row = row_of(panel, "told")
    expect(row).to_contain_text("exit code 5")
    row.locator(".jp-ehpc-RowHead").click()
    expect(row.locator(".jp-ehpc-Table")).to_contain_text("10:00")
    row.get_by_text("Timeline").click()
    expect(row.locator(".jp-ehpc-Timeline")).to_contain_text("Failed")
    row.get_by_text("Files", exact=True).click()
    expect(row.get_by_role("button", name="Open in a tab: Standard output")).to_be_visible()
    row.get_by_role("button", name="Copy as Markdown").click()
    expect(row.get_by_role("button", name="Copied")).to_be_visible()
    jupyterlab.shot("narrow")
    assert_nothing_sticks_out(panel)
    for text in (row.locator(".jp-ehpc-Table th"), row.locator(".jp-ehpc-Switch button"), row.locator("summary")):
        assert contrast(text.first) >= 4.5
    jupyterlab.make_panel_wide(800)
    expect(panel.locator(".jp-ehpc-Columns")).to_be_visible()
    jupyterlab.shot("wide")
    assert_nothing_sticks_out(panel)


def test_a_job_is_checked_and_kept_as_a_template(jupyterlab, desk, panel):
    name = f"kept {time.time_ns()}"
    panel.get_by_role("tab", name="New job").click()
    panel.get_by_role("textbox", name="Script").fill("echo checked")
    panel.get_by_label("Wall time").fill("0:10:00")
    panel.get_by_role("button", name="Check", exact=True).click()
    expect(panel.get_by_text("The cluster would take it.")).to_be_visible()
    panel.get_by_text("What would be submitted").click()
    expect(panel.get_by_label("Command", exact=True)).to_contain_text("sbatch")
    jupyterlab.shot("check")
    panel.get_by_role("button", name="Save…").click()
    panel.get_by_label("Name of the template").fill(name)
    panel.get_by_label("Name of the template").press("Enter")
    expect(panel.get_by_text(f"Saved as “{name}”.")).to_be_visible()
    # Another day.
    jupyterlab.open()
    panel = jupyterlab.open_panel()
    panel.get_by_role("tab", name="New job").click()
    panel.get_by_label("Template", exact=True).select_option(name)
    expect(panel.get_by_role("textbox", name="Script")).to_have_value("echo checked")
    expect(panel.get_by_label("Wall time")).to_have_value("0:10:00")
    listed = desk.server.call("ListJobs", ClusterId="slurm", JobFilter={"JobName": "checked"})
    assert listed["TotalCount"] == 0

"""A real Chromium, a real JupyterLab, a real Slurm behind a real sshd."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import TimeoutError as NotYet
from playwright.sync_api import expect

from tools.server import Server

#: Screenshots of every test, kept outside the repository.
SHOTS = Path(os.environ.get("EHPC_SCREENSHOTS") or Path(tempfile.gettempdir()) / "ehpc-jupyter-screenshots")
SETTINGS = {"@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}


expect.set_options(timeout=45_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": shutil.which("chromium"),
        "args": ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1400, "height": 900}}


class Desk:
    """A JupyterLab with a folder to work in, that can be killed and started again.

    Attributes:
        folder: what it serves.
        lab: the real cluster; its name in Jupyter is ``slurm``.
    """

    def __init__(self, root, lab):
        self.folder = root / "work"
        self.folder.mkdir()
        self.data = root / "data"
        self.home = root / "home"
        self.home.mkdir()
        self.lab = lab
        self.settings = root / "settings"
        for name, values in SETTINGS.items():
            file = self.settings / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))
        self.environment = {"HOME": str(self.home), "JUPYTERLAB_SETTINGS_DIR": str(self.settings)}
        self.server = None
        self.start()

    def start(self, port=None, token=None):
        config = {"EhpcExtension": {"clusters": {"slurm": self.lab.profile()}, "local_poll_interval_s": 0.3}}
        environment = self.environment | {"JUPYTERLAB_WORKSPACES_DIR": str(self.data / "workspaces")}
        self.server = Server(
            self.folder, self.data, config=config, module="jupyterlab", environment=environment, port=port, token=token
        )
        self.server.wait()

    def kill_and_start_again(self):
        """kill -9, then the same server on the same port."""
        self.server.process.kill()
        self.server.process.wait()
        self.start(self.server.port, self.server.token)

    def notebook(self, name, *cells):
        """Put a notebook into the folder."""
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(made, self.folder / name)
        return name

    def theme(self, name):
        """The theme of all pages opened from now on, as if it were chosen in the settings."""
        file = self.settings / "@jupyterlab/apputils-extension/themes.jupyterlab-settings"
        file.write_text(json.dumps({"theme": name}))

    def url(self, path=""):
        return f"{self.server.url}lab{path}?token={self.server.token}&reset"


@pytest.fixture(scope="session")
def desk(lab, tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk"), lab)
    yield desk
    desk.server.stop()


class Lab:
    """What a person does in JupyterLab."""

    def __init__(self, page, desk, name):
        self.page = page
        self.desk = desk
        self.name = name
        page.set_default_timeout(60_000)

    def open(self, path=""):
        self.page.goto(self.desk.url(path))
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def open_notebook(self, name):
        self.open(f"/tree/{name}")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for()

    def command(self, label):
        """By the command palette, as with the keyboard."""
        self.page.keyboard.press("Control+Shift+C")
        box = self.page.locator("#modal-command-palette input")
        box.fill(label)
        self.page.locator("#modal-command-palette .lm-CommandPalette-item").filter(has_text=label).first.click()

    def run_all(self):
        """Lab forgets what is run while it still connects to the kernel: then a person clicks again."""
        done = self.page.locator(".jp-InputPrompt").filter(has_text=re.compile(r"\[\d+\]")).first
        for _ in range(4):
            choose = self.page.locator(".jp-Dialog").get_by_role("button", name="Select", exact=True)
            if choose.is_visible():
                choose.click()
            self.page.get_by_role("menuitem", name="Run", exact=True).click()
            self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            try:
                done.wait_for(timeout=15_000)
                return
            except NotYet:
                continue
        pytest.fail("the notebook does not run")

    def save(self):
        self.page.keyboard.press("Control+s")

    def open_panel(self):
        self.page.locator('.jp-SideBar [data-id*="ehpc"]').first.click()
        return self.page.locator(".jp-ehpc-Panel")

    def make_panel_wide(self, width):
        """Drag the border between the panel and the rest."""
        handle = self.page.locator("#jp-main-split-panel > .lm-SplitPanel-handle").first
        border = handle.bounding_box()
        panel = self.page.locator(".jp-ehpc-Panel").bounding_box()
        y = border["y"] + border["height"] / 2
        self.page.mouse.move(border["x"] + border["width"] / 2, y)
        self.page.mouse.down()
        self.page.mouse.move(panel["x"] + width, y, steps=4)
        self.page.mouse.up()

    def shot(self, what):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{self.name}-{what}.png")


@pytest.fixture
def jupyterlab(page, desk, request):
    lab = Lab(page, desk, re.sub(r"\W+", "-", request.node.originalname))
    yield lab
    lab.shot("end")

"""A notebook that was saved here and is opened where nothing of this project is installed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from playwright.sync_api import expect

from tests.conftest import wait_for
from tests.ui.conftest import SHOTS
from tools.server import Server

TOUR = Path(__file__).parents[2] / "notebooks" / "first-job.ipynb"


def test_saved_cards_are_shown_without_the_extension(page, tmp_path):
    work, config = tmp_path / "work", tmp_path / "config"
    work.mkdir()
    shutil.copy(TOUR, work / "tour.ipynb")
    (config / "labconfig").mkdir(parents=True)
    (config / "labconfig" / "page_config.json").write_text(json.dumps({"disabledExtensions": {"ehpc-jupyter": True}}))
    environment = {"HOME": str(tmp_path), "JUPYTER_CONFIG_DIR": str(config), "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path)}
    off = {"ServerApp": {"jpserver_extensions": {"ehpc_jupyter": False}}}
    server = Server(work, tmp_path / "data", config=off, module="jupyterlab", environment=environment)
    try:
        wait_for(lambda: _answers(server), what="Jupyter to start")
        assert server.session.get(f"{server.url}ehpc/schema", timeout=10).status_code == 404
        page.goto(f"{server.url}lab/tree/tour.ipynb?token={server.token}&reset")
        card = page.locator(".jp-RenderedHTMLCommon", has_text="Job 1 'greeting' on local").first
        expect(card).to_be_visible(timeout=60_000)
        for text in ("finished", "exit code", "stdout", "folder"):
            expect(card).to_contain_text(text)
        assert page.locator(".jp-ehpc-Card").count() == 0
        card.scroll_into_view_if_needed()
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / "plain-without-the-extension.png")
    finally:
        server.stop()


def _answers(server):
    try:
        return server.session.get(f"{server.url}api/status", timeout=5).ok
    except OSError:
        return False

"""A job's card as a widget, for front ends that cannot have JupyterLab's extension: same data, same words, live."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ipywidgets import HBox, Layout, VBox

from ehpc_jupyter.notebook import display
from ehpc_jupyter.notebook.jobview import JobView

if TYPE_CHECKING:
    from collections.abc import Callable

    from ehpc_jupyter.notebook.job import Job

_VIEW = "application/vnd.jupyter.widget-view+json"


def in_thread(work: Callable[[], None]) -> None:
    """Do work beside the kernel's own thread, which must stay free for the user."""
    threading.Thread(target=work, name="ehpc-card", daemon=True).start()


class LiveCard(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """See ``Job.live``. It is kept up to date until the job has ended or the card is closed.

    Args:
        job: the job.
        spawn: how work is done beside the kernel's thread; for tests.
    """

    def __init__(self, job: Job, spawn: Callable[[Callable[[], None]], None] = in_thread) -> None:
        self.job = job
        self._view = JobView(job.client, spawn, called="job")
        self._view.state.value = display.card(job.known())
        super().__init__([self._view.state, HBox([self._view.stop]), self._view], layout=Layout(width="auto"))
        self._view.watch(job)

    def view(self) -> dict[str, Any]:
        """The MIME bundle's entry for a front end that shows widgets."""
        bundle: dict[str, Any] = super()._repr_mimebundle_()
        return {_VIEW: bundle[_VIEW]}

    def __repr__(self) -> str:
        return f"<LiveCard: {self.job.title}>"

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        # A saved notebook has no widget: what is left there is the static card.
        detail = self.job.known()
        bundle = {"text/plain": display.text(detail), "text/html": str(display.card(detail))}
        return bundle | self.view(), self.job.provenance()

    def close(self) -> None:
        """Remove the card; the job goes on."""
        if hasattr(self, "_view"):
            self._view.watch(None)
        super().close()

"""What a form shows of its job: the state and the end of the output, kept up to date from a thread."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from IPython.display import display, update_display
from ipywidgets import HTML, Button, Layout, VBox

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.notebook import display as pictures
from ehpc_jupyter.notebook.inputs import ERROR_STYLE
from ehpc_jupyter.notebook.markup import html, joined, plain_lines
from ehpc_jupyter.notebook.waiting import Pauses

if TYPE_CHECKING:
    from collections.abc import Callable

    from ehpc_jupyter.models.job import JobDetail, JobState
    from ehpc_jupyter.notebook.client import Client
    from ehpc_jupyter.notebook.job import Job

_LONGEST_WAIT_S = 1.0
_TAIL_LINES = 12
_PRE = (
    "white-space:pre-wrap;overflow-wrap:anywhere;max-height:16em;overflow:auto;margin:.3em 0;"
    "background:transparent;color:inherit"
)


class JobView(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Follows one job after another: the end of its output. Its state and the button to stop it stand elsewhere.

    Args:
        client: whose clock is used.
        spawn: how work is done beside the kernel's thread.
        called: how the user's code calls the job.
    """

    def __init__(self, client: Client, spawn: Callable[[Callable[[], None]], None], called: str = "form.job") -> None:
        self._called = called
        self._clock = client.clock
        self._spawn = spawn
        self._job: Job | None = None
        self._card_id = uuid.uuid4().hex
        self._card_is_shown = False
        self._card_state: JobState | None = None
        self.state = HTML()
        self.output = HTML(layout=Layout(width="auto"))
        self.fault = HTML()
        self.stop = Button(description="Stop", tooltip="Stop the job", layout=Layout(display="none", width="auto"))
        self.stop.on_click(lambda _button: self._stop_clicked())
        super().__init__([self.fault, self.output], layout=Layout(width="auto"))

    def show_with(self, bundle: dict[str, Any]) -> None:
        """Display a form, and below it a place for the card of its jobs.

        The card is an output of the cell and no part of the form: it is saved with the notebook, where the form is not.
        """
        self._card_is_shown = True
        for part in (self.stop, self.output):  # the labextension's style sheet hides what its card shows too
            part.add_class("ehpc-in-card")
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
        card = pictures.bundle(self._job.shown()) if self._job else {"text/plain": "", "text/html": ""}
        metadata = self._job.provenance() if self._job else {}
        display(card, metadata=metadata, raw=True, display_id=self._card_id)  # type: ignore[no-untyped-call]

    def watch(self, job: Job | None) -> None:
        """Follow this job from now on, until it has ended; None for no job."""
        self._job = job
        self._card_state = None
        if job is not None:
            self.fault.value = self.output.value = ""
            self._spawn(lambda: self._follow(job))

    def _follow(self, job: Job) -> None:
        pauses = Pauses(job, self._clock, longest_s=_LONGEST_WAIT_S)
        while self._job is job:
            try:
                pause = pauses.after_look()
            except EhpcError as error:
                self._show_fault(error)
                return
            if self._job is job:
                self._show(job, job.known())
            if pause is None:
                return
            self._clock.sleep(pause)

    def _show(self, job: Job, detail: JobDetail) -> None:
        self.state.value = pictures.headline(detail) if self._card_is_shown else pictures.card(detail)
        self.stop.layout.display = "none" if detail.is_final else ""
        if detail.state is not self._card_state and self._card_is_shown:
            self._card_state = detail.state
            update_display(  # type: ignore[no-untyped-call]
                pictures.bundle(detail), metadata=job.provenance(), raw=True, display_id=self._card_id
            )
        if detail.tasks or detail.array_request:
            self.output.value = html("<small>Each task has an output of its own: {}.stdout(task)</small>", self._called)
            return
        try:
            tail = job.tail(_TAIL_LINES)
        except EhpcError:
            return  # the state is what matters; the next look tries again
        self.output.value = html('<pre style="{}">{}</pre>', _PRE, plain_lines(tail)) if tail else ""

    def _stop_clicked(self) -> None:
        job = self._job
        if job is not None and not self.stop.disabled:
            self.stop.disabled = True
            self._spawn(lambda: self._stop(job))

    def _stop(self, job: Job) -> None:
        try:
            job.stop()
        except EhpcError as error:
            self._show_fault(error)
        finally:
            self.stop.disabled = False

    def _show_fault(self, error: EhpcError) -> None:
        words = joined(plain_lines(str(error)).split("\n"), "<br>")
        self.fault.value = html('<span role="alert" style="{}">{}</span>', ERROR_STYLE, words)

"""``JobForm``: a job as a form in a notebook, derived from the model's fields."""

from __future__ import annotations

import threading
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

from ipywidgets import HTML, Accordion, Button, GridBox, HBox, Layout, VBox
from traitlets import Instance

from ehpc_jupyter.errors import EhpcError, InternalError, InvalidParams, Problem
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.spec import JobSpec
from ehpc_jupyter.notebook.client import Client
from ehpc_jupyter.notebook.fields import JobField, body_of, fields_of, values_from_keywords
from ehpc_jupyter.notebook.inputs import (
    ERROR_STYLE,
    FORM_STYLE,
    FieldBox,
    GroupBox,
    cluster_choices,
    columns,
    queue_choices,
)
from ehpc_jupyter.notebook.job import Job
from ehpc_jupyter.notebook.jobview import JobView

if TYPE_CHECKING:
    from collections.abc import Callable

_TITLES = {"resources": "Resources", "output": "Output files", "more": "More"}
#: At most two beside each other.
_COLUMN = "max(16em, 34%)"
_OPEN = ("command", "resources")
_ORDER = (*_OPEN, "output", "more")


def in_thread(work: Callable[[], None]) -> None:
    """Do work beside the kernel's own thread, which must stay free for the user."""
    threading.Thread(target=work, name="ehpc-form", daemon=True).start()


class JobForm(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A form for a job. Show it by naming it in the last line of a cell; click Submit, or call ``submit()``.

    The job's state is shown beside the button, the end of its output below, both live; the job's card becomes a second
    output of the cell and is saved with the notebook. A password that is typed in is never saved.

    Args:
        cluster: the cluster chosen at first.
        client: who submits; a new ``Client`` if None.
        spawn: how work is done beside the kernel's thread; for tests.
        **defaults: what is filled in at first, named as in ``Client.submit``: ``script=``, ``wall_time=``, ``nodes=`` …

    Attributes:
        spec: what the form says now, a ``JobSpec``; None while something in it is wrong or missing. Observable.
        job: the last job submitted; None before. Observable.

    Raises:
        TypeError: a default is no field of a job.

    Example:
        >>> form = JobForm(script="hostname", wall_time="0:05:00")
        >>> form
    """

    spec = Instance(JobSpec, allow_none=True)
    job = Instance(Job, allow_none=True)

    #: The model that the form is made from.
    request_model: ClassVar[type[CreateJobRequest]] = CreateJobRequest

    def __init__(
        self,
        cluster: str | None = None,
        client: Client | None = None,
        *,
        spawn: Callable[[Callable[[], None]], None] = in_thread,
        **defaults: Any,
    ) -> None:
        self._client = client or Client()
        self._spawn = spawn
        self._touched: set[str] = set()
        self._busy = False
        values = values_from_keywords(
            {"cluster": cluster or self._client.cluster, **defaults}, type(self).__name__, self.request_model
        )
        self._boxes: dict[str, FieldBox] = {}
        self._groups: dict[str, GroupBox] = {}
        sections = self._make_sections()
        for path, value in values.items():
            if path in self._boxes:
                self._boxes[path].fill(value)
        self._button = Button(description="Submit", button_style="primary", tooltip="Submit the job to the cluster")
        self._button.on_click(lambda _button: self._clicked())
        self._fault = HTML()
        self._view = JobView(self._client, spawn)
        style = HTML(FORM_STYLE, layout=Layout(display="none"))
        row = Layout(flex_flow="row wrap", align_items="center", grid_gap="0 1em", margin=".5em 0 0")
        submit = HBox([self._button, self._view.state, self._view.stop], layout=row)
        parts = [style, *sections, submit, self._fault, self._view]
        super().__init__(parts, layout=Layout(width="auto", max_width="60em"))
        self.add_class("ehpc-form")
        self._check()
        self._spawn(self._fetch_clusters)
        self._spawn(self._fetch_queues)

    # --- the fields

    def _make_sections(self) -> list[Any]:
        fields = [field for field in fields_of(self.request_model) if field.group != "hidden"]
        grouped = {
            field.path: [f for f in fields if f.path.startswith(f"{field.path}.")] for field in fields if field.is_group
        }
        members = {field.path for inside in grouped.values() for field in inside}
        names = [*(name for name in _ORDER if any(f.group == name for f in fields))]
        names += [name for name in dict.fromkeys(f.group for f in fields) if name not in names]
        self._accordions: dict[str, Accordion] = {}
        always = [f for f in fields if f.group in _OPEN and f.path not in members]
        sections: list[Any] = [GridBox([self._make_box(field, grouped) for field in always], layout=columns(_COLUMN))]
        sections[0].layout.margin = "0 0 .5em"
        for name in names:
            here = [f for f in fields if f.group == name and f.path not in members]
            if name not in _OPEN:
                grid = GridBox([self._make_box(field, grouped) for field in here], layout=columns(_COLUMN))
                folded = Accordion([grid], titles=(_TITLES.get(name, name.capitalize()),), selected_index=None)
                self._accordions[name] = folded
                sections.append(folded)
        return sections

    def _make_box(self, field: JobField, grouped: dict[str, list[JobField]]) -> Any:
        if not field.is_group:
            self._boxes[field.path] = FieldBox(field, self._on_change)
            return self._boxes[field.path]
        inside = [FieldBox(member, self._on_change) for member in grouped[field.path]]
        self._boxes.update({box.field.path: box for box in inside})
        self._groups[field.path] = GroupBox(field, inside)
        return self._groups[field.path]

    def _on_change(self, box: FieldBox) -> None:
        self._touched.add(box.field.path)
        self._fault.value = ""
        self._check()
        if box.field.widget == "cluster":
            self._spawn(self._fetch_queues)

    def _request(self) -> CreateJobRequest:
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for path, box in self._boxes.items():
            value, faults = box.read()
            problems += faults
            if value is not None:
                values[path] = value
        try:
            request = self.request_model.from_wire(body_of(values))
        except InvalidParams as error:
            problems += error.problems
        if problems:
            raise InvalidParams(*problems)
        return request

    def _check(self) -> None:
        """Show the problems of the fields that the user has touched: nobody likes a form that starts with errors."""
        try:
            self.spec = self._request().job_spec
            self._show_problems(())
        except InvalidParams as error:
            self.spec = None
            self._show_problems([p for p in error.problems if p.field in self._touched or p.field in self._groups])

    def _show_problems(self, problems: Any) -> list[Problem]:
        """Show each problem beside its field; returns those that belong to none."""
        places: dict[str, FieldBox | GroupBox] = {**self._boxes, **self._groups}
        found: dict[str, list[str]] = {}
        homeless: list[Problem] = []
        for problem in problems:
            path = problem.field
            while path and path not in places:
                path = path.rpartition(".")[0]
            if path:
                found.setdefault(path, []).append(problem.message)
            else:
                homeless.append(problem)
        for path, place in places.items():
            if path in found:
                place.show_error("; ".join(found[path]))
                if place.field.group in self._accordions:
                    self._accordions[place.field.group].selected_index = 0
            else:
                place.show_help()
        return homeless

    # --- submitting

    def submit(self) -> Job:
        """Submit what the form says, as its button does.

        Returns:
            The job; also as ``form.job``.

        Raises:
            InvalidParams: something in it is wrong; the form shows what, beside the fields.
            EhpcError: the cluster refused it or did not answer; the form shows that too.
        """
        self._submitting(True)
        try:
            request = self._request()
            try:
                job = self._client.create(request)
            finally:
                for box in self._boxes.values():
                    box.forget()
        except EhpcError as error:
            self._show_fault(error)
            raise
        finally:
            self._submitting(False)
        self._show_problems(())
        self.job = job
        self._view.watch(job)
        return job

    def _clicked(self) -> None:
        if not self._busy:
            self._submitting(True)
            self._spawn(self._submit_quietly)

    def _submit_quietly(self) -> None:
        try:
            self.submit()
        except EhpcError:
            pass  # the form shows it
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            self._show_fault(InternalError(f"{type(error).__name__}: {error}"))

    def _submitting(self, busy: bool) -> None:
        self._busy = busy  # a button that is disabled loses the keyboard's focus
        self._button.description = "Submitting …" if busy else "Submit"
        if busy:
            self._fault.value = ""

    def _show_fault(self, error: EhpcError) -> None:
        if isinstance(error, InvalidParams):
            homeless = self._show_problems(error.problems)
            lines = [f"{p.field}: {p.message}" for p in homeless] or ["Some fields need another look; each says why."]
        else:
            lines = [*error.message.splitlines(), *([error.recommend] if error.recommend else [])]
        code = f"{error.code}, RequestId {error.request_id}" if error.request_id else error.code
        self._fault.value = (
            f'<div role="alert"><span style="{ERROR_STYLE}">{"<br>".join(escape(line) for line in lines)}</span>'
            f'<br><small style="opacity:.75">{escape(code)}</small></div>'
        )

    # --- what the cluster has

    def _box_of(self, widget: str) -> FieldBox | None:
        return next((box for box in self._boxes.values() if box.field.widget == widget), None)

    def _cluster(self) -> str:
        box = self._box_of("cluster")
        return str((box and box.read()[0]) or self._client.cluster)

    def _fetch_clusters(self) -> None:
        box = self._box_of("cluster")
        if box is None:
            return
        try:
            box.offer(cluster_choices(self._client.clusters()))
        except EhpcError as error:
            box.free_text(f"The clusters could not be listed: {error.message}")

    def _fetch_queues(self) -> None:
        box, cluster = self._box_of("queue"), self._cluster()
        if box is None:
            return
        try:
            choices = queue_choices(self._client.queues(cluster))
        except EhpcError as error:
            if cluster == self._cluster():  # an answer about a cluster that is no longer chosen comes too late
                box.free_text(
                    f"The queues of {cluster} could not be listed; type a name or leave it empty. {error.message}"
                )
            return
        if cluster == self._cluster():
            box.offer(choices)

    # --- showing

    def __repr__(self) -> str:
        return f"<JobForm: {self.job.title}>" if self.job else "<JobForm: nothing submitted>"

    def _ipython_display_(self) -> None:
        self._view.show_with(self._repr_mimebundle_())

    def close(self) -> None:
        """Remove the form; a job that it submitted goes on."""
        if hasattr(self, "_view"):  # a form that could not be made is closed too, when it is thrown away
            self._view.watch(None)
        super().close()

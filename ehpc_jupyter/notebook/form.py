"""``JobForm``: a job as a form in a notebook, derived from the model's fields."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from ipywidgets import HTML, Button, HBox, Layout, ToggleButton, VBox
from traitlets import Instance

from ehpc_jupyter.errors import EhpcError, InternalError, InvalidParams, Problem
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.cluster import check
from ehpc_jupyter.models.spec import JobSpec
from ehpc_jupyter.notebook.client import Client
from ehpc_jupyter.notebook.drawers import CopyDrawer, TemplateDrawer
from ehpc_jupyter.notebook.fields import body_of, fields_of, values_from_keywords
from ehpc_jupyter.notebook.inputs import ERROR_STYLE, FORM_STYLE, FieldBox
from ehpc_jupyter.notebook.job import Job
from ehpc_jupyter.notebook.jobview import JobView
from ehpc_jupyter.notebook.markup import html, joined, plain
from ehpc_jupyter.notebook.sections import Sections
from ehpc_jupyter.notebook.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ehpc_jupyter.models.actions import Template
    from ehpc_jupyter.notebook.checking import JobCheck

_LOOK_AGAIN = "Some fields need another look; each says why."


def in_thread(work: Callable[[], None]) -> None:
    """Do work beside the kernel's own thread, which must stay free for the user."""
    threading.Thread(target=work, name="ehpc-form", daemon=True).start()


class JobForm(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A form for a job. Show it by naming it in the last line of a cell; click Submit, or call ``submit()``.

    Check asks what the cluster would say, without submitting. Copy as gives the job as a cell or as Python. The job's state
    is shown beside the buttons, the end of its output below, both live; the job's card becomes a second output of the cell
    and is saved with the notebook. A password that is typed in is never saved.

    Args:
        cluster: the cluster chosen at first.
        client: who submits; a new ``Client`` if None.
        template: the name of a saved template that is filled in at first; ``defaults`` go over it.
        spawn: how work is done beside the kernel's thread; for tests.
        **defaults: what is filled in at first, named as in ``Client.submit``: ``script=``, ``wall_time=``, ``nodes=`` …

    Attributes:
        spec: what the form says now, a ``JobSpec``; None while something in it is wrong or missing. Observable.
        job: the last job submitted; None before. Observable.

    Raises:
        TypeError: a default is no field of a job, or both a script and a command line are given.
        InvalidParams: there is no template of that name.

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
        template: str | None = None,
        spawn: Callable[[Callable[[], None]], None] = in_thread,
        **defaults: Any,
    ) -> None:
        self._client = client or Client()
        self._spawn = spawn
        self._touched: set[str] = set()
        self._busy = False
        given = values_from_keywords({"cluster": cluster, **defaults}, type(self).__name__, self.request_model)
        if {"JobSpec.Script", "JobSpec.CommandLine"} <= given.keys():
            raise TypeError("give either script or command_line, not both")
        filled = self._client.template(template).fields if template else {}
        self._sections = Sections(
            [field for field in fields_of(self.request_model) if field.group != "hidden"], self._on_change
        )
        self._boxes, self._groups = self._sections.boxes, self._sections.groups
        self._site = Site(self._boxes, self._client)
        self._button = Button(description="Submit", button_style="primary", tooltip="Submit the job to the cluster")
        self._button.on_click(lambda button: self._clicked(button, self.submit))
        self._check_button = Button(
            description="Check",
            tooltip="Ask what the cluster would say to the job, and submit nothing",
            layout=Layout(width="auto"),
        )
        self._check_button.on_click(lambda button: self._clicked(button, self.check))
        self._fault = HTML()
        self._verdict = HTML()
        self._copy = CopyDrawer()
        self._templates = TemplateDrawer(self._client, spawn, self._texts, self._load, self._refused)
        self._view = JobView(self._client, spawn)
        self._put({"ClusterId": self._client.cluster, **filled, **given})
        super().__init__(self._parts(), layout=Layout(width="auto", max_width="60em"))
        self.add_class("ehpc-form")
        self._look_over()
        self._spawn(self._site.fetch_clusters)
        self._spawn(self._site.fetch_queues)

    def _parts(self) -> list[Any]:
        toggles = []
        for label, help_text, drawer in (
            ("Copy as …", "The job as a cell or as Python", self._copy),
            ("Templates …", "Keep what the form says, or fill it in from what was kept", self._templates),
        ):
            toggle = ToggleButton(description=label, tooltip=help_text, layout=Layout(width="auto"))
            toggle.observe(lambda change, drawer=drawer: drawer.show(change["new"]), "value")
            toggles.append(toggle)
        row = Layout(flex_flow="row wrap", align_items="center", grid_gap="4px 4px", margin=".5em 0 0")
        buttons = HBox([self._button, self._check_button, *toggles, self._view.state, self._view.stop], layout=row)
        below = [self._fault, self._verdict, self._copy, self._templates, self._view]
        return [HTML(FORM_STYLE, layout=Layout(display="none")), *self._sections.parts, buttons, *below]

    # --- the fields

    def _put(self, values: Mapping[str, Any]) -> list[str]:
        """Fill these in; returns those that there is no field for."""
        self._sections.use(values)
        for path, value in values.items():
            if path in self._boxes:
                self._boxes[path].fill(value)
        return [path for path in values if path not in self._boxes]

    def _on_change(self, box: FieldBox | None) -> None:
        if box is not None:
            self._touched.add(box.field.path)
        self._fault.value = self._verdict.value = ""
        self._look_over()
        if box is not None and box.field.widget == "cluster":
            self._spawn(self._site.fetch_queues)

    def _request(self) -> CreateJobRequest:
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for path, box in self._sections.in_use().items():
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

    def _look_over(self) -> None:
        """Show the problems of the fields that the user has touched: nobody likes a form that starts with errors."""
        request = None
        try:
            request = self._request()
            self.spec = request.job_spec
            # What the queue refuses is told at once; the cluster has the last word.
            self._show_problems(check(request.job_spec, self._site.limits))
        except InvalidParams as error:
            self.spec = None
            self._show_problems([p for p in error.problems if self._is_told(p.field)])
        self._copy.offer(request)
        self._sections.tell_what_is_folded()

    def _is_told(self, path: str) -> bool:
        home = self._sections.home_of(path)
        return home in self._touched or home in self._groups

    def _show_problems(self, problems: Iterable[Problem]) -> list[Problem]:
        """Show each problem beside its field; returns those that belong to none."""
        found: dict[str, list[str]] = {}
        homeless: list[Problem] = []
        for problem in problems:
            home = self._sections.home_of(problem.field)
            if home is None:
                homeless.append(problem)
            else:
                found.setdefault(home, []).append(problem.message)
        for path in (*self._boxes, *self._groups):
            if path in found:
                self._sections.place(path).show_error("; ".join(found[path]))
                self._sections.unfold(path)
            else:
                self._sections.place(path).show_help()
        return homeless

    # --- checking and submitting

    def check(self) -> JobCheck:
        """Ask what the cluster would say to the job, as the button does. Nothing is submitted.

        Returns:
            Whether it would take it, what is wrong with which field, when it would start, and the script.

        Raises:
            InvalidParams: something in it is wrong; the form shows what, beside the fields.
            EhpcError: the cluster did not answer; the form shows that too.
        """
        with self._busy_with(self._check_button):
            request = self._request()
            found = self._client.check_request(request)
        titles = {field.path: field.title for field in fields_of(self.request_model)}
        self._show_problems(found.problems)
        self._verdict.value = found.named(lambda path: titles.get(path, path))._repr_html_()
        self._spawn(self._site.fetch_queues)  # what is free changes
        return found

    def submit(self) -> Job:
        """Submit what the form says, as its button does.

        Returns:
            The job; also as ``form.job``.

        Raises:
            InvalidParams: something in it is wrong; the form shows what, beside the fields.
            EhpcError: the cluster refused it or did not answer; the form shows that too.
        """
        with self._busy_with(self._button):
            request = self._request()
            try:
                job = self._client.create(request)
            finally:
                for box in self._boxes.values():
                    box.forget()
        self._show_problems(())
        self.job = job
        self._view.watch(job)
        return job

    def _clicked(self, button: Button, work: Callable[[], Any]) -> None:
        if not self._busy:
            self._tell_busy(button, busy=True)
            self._spawn(lambda: self._quietly(work))

    def _tell_busy(self, button: Button, *, busy: bool) -> None:
        self._busy = busy  # a button that is disabled loses the keyboard's focus
        label, words = ("Check", "Checking …") if button is self._check_button else ("Submit", "Submitting …")
        button.description = words if busy else label

    @contextmanager
    def _busy_with(self, button: Button) -> Iterator[None]:
        """While a button's work is done it says so, and another click counts for nothing. Errors are shown in the form."""
        self._tell_busy(button, busy=True)
        self._fault.value = self._verdict.value = ""
        try:
            yield
        except EhpcError as error:
            self._show_fault(error)
            raise
        finally:
            self._tell_busy(button, busy=False)

    def _quietly(self, work: Callable[[], Any]) -> None:
        try:
            work()
        except EhpcError:
            pass  # the form shows it
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            self._show_fault(InternalError(f"{type(error).__name__}: {error}"))

    def _show_fault(self, error: EhpcError) -> None:
        words = error.message
        if isinstance(error, InvalidParams):
            words = "\n".join(self._refused(error))
        *lines, code = error.told(words).splitlines()
        self._fault.value = html(
            '<div role="alert"><span style="{}">{}</span><br><small style="opacity:.75">{}</small></div>',
            *(ERROR_STYLE, joined(map(plain, lines), "<br>"), plain(code)),
        )

    def _refused(self, error: EhpcError) -> list[str]:
        """Show what is wrong beside the fields; what is to be said elsewhere."""
        if not isinstance(error, InvalidParams):
            return [error.message]
        problems = [Problem(p.field.removeprefix("Fields."), p.message) for p in error.problems]
        return [f"{p.field}: {p.message}" for p in self._show_problems(problems)] or [_LOOK_AGAIN]

    # --- templates

    def _texts(self) -> dict[str, str]:
        """What the form says, for a template. Raises InvalidParams: it cannot be read."""
        values: dict[str, str] = {}
        problems: list[Problem] = []
        for path, box in self._sections.in_use().items():
            if box.field.widget != "password":
                value, faults = box.read()
                problems += faults
                if value is not None:
                    values[path] = value if isinstance(value, str) else json.dumps(value)
        if problems:
            raise InvalidParams(*problems)
        return values

    def _load(self, template: Template) -> None:
        """Fill a template in; whatever else was filled in goes, but the cluster."""
        cluster = self._site.cluster()
        for box in self._boxes.values():
            box.clear()
        strange = self._put({"ClusterId": cluster, **template.fields})
        self._touched = set(template.fields)
        self._fault.value = self._verdict.value = ""
        self._look_over()
        if self._site.cluster() != cluster:
            self._spawn(self._site.fetch_queues)
        if strange:
            raise InvalidParams(
                *(Problem(path, "there is no such field any more; it was left out") for path in strange)
            )

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

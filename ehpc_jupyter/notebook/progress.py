"""The bar that is shown while the kernel waits.

tqdm draws it: over and over in one line of a terminal; in a notebook as an output that is replaced, so that a saved
notebook holds one line with the last state (tqdm's own bar for notebooks is a widget, of which a saved notebook keeps
"0%"). Where nobody looks, in a pipe or a log file, there is none; and none for a wait shorter than a second.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

from ehpc_jupyter.models.job import JobState
from ehpc_jupyter.notebook.frontend import in_notebook
from ehpc_jupyter.notebook.markup import html, plain
from ehpc_jupyter.notebook.states import LOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

    from ehpc_jupyter.notebook.clock import Clock
    from ehpc_jupyter.notebook.job import Job

    Place = Literal["notebook", "terminal", "nowhere"]

_PATIENCE_S = 1.0
_WIDTH = 80
_NUMBERS = itertools.count()


def place() -> Place:
    """Where a bar can be shown."""
    if in_notebook():
        return "notebook"
    return "terminal" if sys.stderr is not None and sys.stderr.isatty() else "nowhere"


class Progress:
    """How far jobs have come: of an array its tasks, of several jobs how many ended, of one job its state.

    Args:
        jobs: the jobs.
        clock: how time passes.
        quiet: show nothing.
        where: where to show it; found out if None.
        patience_s: for how long to show nothing yet, seconds.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        clock: Clock,
        *,
        quiet: bool = False,
        where: Place | None = None,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._patience_s = patience_s
        self._jobs = jobs
        self._clock = clock
        self._where = "nowhere" if quiet else where or place()
        self._started = clock.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._draw()
            self._bar.close()

    def show(self) -> None:
        """Show what is known of the jobs now; nothing while it is too early."""
        if self._where == "nowhere":
            return
        if self._bar is None:
            if self._clock.monotonic() - self._started < self._patience_s:
                return
            self._bar = self._make()
            self._bar.start_t -= self._clock.monotonic() - self._started  # it counts from when the wait began
        self._draw()

    def _draw(self) -> None:
        ended, total, words = summary(self._jobs)
        self._bar.total = total
        self._bar.n = ended
        self._bar.set_description_str(words, refresh=False)
        self._bar.refresh()

    def _make(self) -> Any:
        # Of one job without tasks nobody knows how far it is: a bar would be a guess.
        whole = len(self._jobs) > 1 or bool(self._jobs and self._jobs[0].known().array_request)
        layout = "{desc} |{bar}| {n_fmt}/{total_fmt} [{elapsed}]" if whole else "{desc} [{elapsed}]"
        options: dict[str, Any] = {"bar_format": layout, "mininterval": 0, "miniters": 0, "total": 1}
        if self._where == "terminal":
            from tqdm.std import tqdm

            return tqdm(dynamic_ncols=True, file=sys.stderr, **options)
        return _notebook_bar()(ncols=_WIDTH, **options)


def summary(jobs: Sequence[Job]) -> tuple[int, int, str]:
    """How many ended, of how many, and what all of them do: of an array the tasks are counted."""
    if len(jobs) != 1:
        states = Counter(job.known().state for job in jobs)
        return sum(count for state, count in states.items() if state.is_final), len(jobs), _counted("jobs", states)
    detail = jobs[0].known()
    if not detail.array_request or not detail.tasks:
        why = f". {plain(detail.explanation)}" if detail.explanation and not detail.is_final else ""
        return int(detail.is_final), 1, f"{jobs[0].title}: {LOOKS[detail.state].word}{why}"
    states = Counter({JobState(state): count for state, count in detail.tasks.items() if state in JobState.__members__})
    ended = sum(count for state, count in states.items() if state.is_final)
    return ended, sum(states.values()), _counted(jobs[0].title, states)


def _counted(what: str, states: Counter[JobState]) -> str:
    return f"{what}: " + ", ".join(f"{states[state]} {LOOKS[state].word}" for state in LOOKS if states[state])


def _notebook_bar() -> type[Any]:
    from IPython.display import display, update_display
    from tqdm.std import tqdm

    class NotebookBar(tqdm):  # type: ignore[type-arg]
        """Draws itself as an output that is replaced."""

        def __init__(self, **options: Any) -> None:
            self._id = f"ehpc-{id(self)}-{next(_NUMBERS)}"
            self._shown = ""
            super().__init__(gui=True, **options)  # with gui nothing is written to a stream

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            text = msg or str(self)
            if text == self._shown:
                return
            show = update_display if self._shown else display
            bundle = {"text/plain": text, "text/html": html("<code>{}</code>", text)}
            show(bundle, raw=True, display_id=self._id)  # type: ignore[no-untyped-call]
            self._shown = text

        def clear(self, *_args: Any, **_options: Any) -> None:
            """It keeps its place."""

        def close(self) -> None:
            self.disable = True

    return NotebookBar

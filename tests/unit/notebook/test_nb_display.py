"""What a person sees of jobs, queues and clusters."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from ehpc_jupyter.errors import ServiceUnavailable
from ehpc_jupyter.models.job import JobDetail, JobState
from ehpc_jupyter.notebook import display
from ehpc_jupyter.notebook.states import LOOKS

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=y>\x1b[31m\n</td>"


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.attributes, self.open = set(), set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def detail(**values):
    known = {"cluster_id": "local", "request_id": "r", "job_id": "1", "job_name": "hello", "state": JobState.RUNNING}
    return JobDetail(**{**known, **values})


NASTY_DETAIL = detail(
    cluster_id=NASTY,
    job_id=NASTY,
    job_name=NASTY,
    native_state=NASTY,
    reason=NASTY,
    user=NASTY,
    queue=NASTY,
    node_list=NASTY,
    array_request=NASTY,
    tasks={NASTY: 1, "FAILED": 2},
    folder=NASTY,
    stdout_path=NASTY,
    stderr_path=NASTY,
    stale_reason=NASTY,
)


def test_nothing_from_outside_becomes_markup():
    tags = Tags(display.card(NASTY_DETAIL))
    assert tags.found <= {"div", "strong", "span", "table", "tbody", "tr", "th", "td"}
    assert tags.attributes <= {"style", "scope", "align", "aria-hidden"}
    assert tags.open == []


def test_nothing_from_outside_becomes_markup_in_a_table(client, backend):
    backend.add("1", job_name=NASTY, reason=NASTY, queue=NASTY)
    backend.queues["local"][0]["queue_name"] = NASTY
    backend.queues["local"][0]["state"] = NASTY
    for listing in (client.jobs(), client.queues(), client.clusters()):
        assert Tags(listing._repr_html_()).found <= {
            "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "span",
        }  # fmt: skip


def test_nothing_from_outside_steers_the_terminal(client, backend):
    backend.add("1", job_name=NASTY, reason=NASTY)
    for text in (display.text(NASTY_DETAIL), repr(client.jobs()), repr(client.job("1").refresh())):
        assert "\x1b" not in text
    assert len(repr(client.jobs()).splitlines()) == 3


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_has_a_word_and_a_sign(state):
    look = LOOKS[state]
    assert look.word in display.text(detail(state=state))
    assert look.word in display.card(detail(state=state))
    assert len(look.sign) == 1


def test_the_card_is_no_stranger_to_a_dark_page():
    html = display.card(NASTY_DETAIL)
    assert "background:#" not in html
    assert "color:#000" not in html


def test_text_is_aligned_and_leaves_out_what_is_not_known():
    text = display.text(detail(exit_code=0, stdout_path="/h/stdout", start_time=1_700_000_000, end_time=1_700_000_062))
    assert text.splitlines()[0] == "▶ Job 1 'hello' on local: running"
    assert "  exit code  0" in text
    assert "  ran        0:01:02" in text
    assert "queue" not in text
    assert "None" not in text


def test_an_array_names_its_tasks():
    text = display.text(detail(array_request="1-5", tasks={"FINISHED": 2, "RUNNING": 3, "FAILED": 0}))
    assert "1-5: 2 finished, 3 running" in text


def test_a_stale_answer_says_how_it_came(client, backend):
    backend.add("1", stale_reason="ssh: connection refused")
    assert "ssh: connection refused" in str(client.job("1"))


def test_the_bundle_has_the_live_cards_data(client, backend):
    backend.add("1", state=JobState.RUNNING)
    bundle, _ = client.job("1")._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.ehpc.job.v1+json"}
    data = JobDetail.model_validate(bundle["application/vnd.ehpc.job.v1+json"])
    assert (data.job_id, data.cluster_id, data.state) == ("1", "local", JobState.RUNNING)


def test_showing_never_raises(client, backend):
    job = client.submit(script="x", name="hello")
    backend.before["GetJob"] = [ServiceUnavailable("down"), ServiceUnavailable("down")]
    bundle, _ = job._repr_mimebundle_()
    assert "not known" in bundle["text/plain"]
    assert "down" in bundle["text/html"]
    assert bundle["application/vnd.ehpc.job.v1+json"]["State"] == "UNKNOWN"
    assert "down" in str(job)


def test_repr_asks_nobody(client, backend):
    job = client.submit(script="x", name="hello")
    assert repr(job) == "<Job 10 'hello' on local: not asked yet>"
    assert backend.bodies("GetJob") == []
    backend.add("1", state=JobState.FAILED, exit_code=3)
    assert repr(client.job(1).refresh()) == "<Job 1 'hello' on local: failed, exit code 3>"


def test_a_list_of_jobs_is_a_table(client, backend):
    backend.add("1", state=JobState.FAILED, exit_code=2, reason="boom")
    backend.add("22", job_name="other")
    jobs = client.jobs()
    head, titles, first, second = repr(jobs).splitlines()
    assert head == "Jobs on local"
    assert titles.split() == ["id", "name", "state", "exit", "reason"]
    assert first.startswith("1   hello  ✗ failed")
    assert second.startswith("22  other")
    assert str(jobs) == repr(jobs)
    html = jobs._repr_html_()
    assert '<th scope="col"' in html
    assert "boom" in html


def test_a_list_in_ipython_is_its_table(client, backend, shell):
    backend.add("1")
    data, _ = shell.display_formatter.format(client.jobs())
    assert data["text/plain"].startswith("Jobs on local\n")
    assert "<table" in data["text/html"]


def test_an_empty_list_says_so(client):
    assert repr(client.jobs()) == "No jobs on local"
    assert "No jobs on local" in client.jobs()._repr_html_()


def test_queues_mark_the_default(client):
    assert "batch *" in repr(client.queues())
    assert "1:00:00" in repr(client.queues())

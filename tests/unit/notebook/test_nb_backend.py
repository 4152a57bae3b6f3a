"""Which server answers, and what happens when it does not."""

from __future__ import annotations

import json
import os
import socket
import threading
import traceback
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from ehpc_jupyter.errors import (
    ERRORS,
    AgentError,
    EhpcError,
    Forbidden,
    InvalidParams,
    Problem,
    ServiceUnavailable,
    Throttling,
)
from ehpc_jupyter.notebook.backend import FoundBackend, KernelBackend, find_server, server_at
from ehpc_jupyter.notebook.client import Client
from ehpc_jupyter.notebook.http_backend import ExtensionMissing, HttpBackend, LostAnswer

TOKEN = "s3cret-token"


class Recorder(BaseHTTPRequestHandler):
    status = 200
    answer: ClassVar[Any] = {"RequestId": "R"}
    headers_out: ClassVar[dict[str, str]] = {}

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), json.loads(body)))
        if self.answer == "hang up":
            self.close_connection = True
            return
        if self.answer == "wait":
            self.server.released.wait(20)
            return
        raw = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        self.send_response(self.status)
        for name, value in self.headers_out.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


@contextmanager
def serving(status=200, answer=None, **headers):
    handler = type(
        "Handler", (Recorder,), {"status": status, "answer": answer or {"RequestId": "R"}, "headers_out": headers}
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.seen, server.released, server.url = [], threading.Event(), f"http://127.0.0.1:{server.server_port}/base/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))

    def record(pid=None, **values):
        pid = os.getpid() if pid is None else pid
        info = {"pid": pid, "url": "http://localhost:8888/base/", "token": TOKEN, "sock": "", **values}
        (tmp_path / f"jpserver-{pid}.json").write_text(json.dumps(info))
        return {"JPY_PARENT_PID": str(pid)}

    return record


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- finding


def test_the_parents_record_gives_address_and_token(runtime):
    assert find_server(runtime()) == ("http://localhost:8888/base/", TOKEN)


def test_it_is_the_record_that_jupyter_server_lists(runtime):
    from jupyter_server.serverapp import list_running_servers

    environ = runtime()
    (listed,) = list_running_servers()
    assert find_server(environ) == (listed["url"], listed["token"])


@pytest.mark.parametrize(
    ("url", "reachable"),
    [
        ("http://0.0.0.0:8888/", "http://127.0.0.1:8888/"),
        ("http://[::]:8888/x", "http://127.0.0.1:8888/x/"),
        ("http://[::1]:8888/", "http://[::1]:8888/"),
        ("https://node7:9999/user/me/", "https://node7:9999/user/me/"),
    ],
)
def test_an_address_that_is_none_becomes_one(runtime, url, reachable):
    assert find_server(runtime(url=url))[0] == reachable


def test_another_servers_record_is_not_taken(runtime):
    runtime(pid=os.getppid())
    assert find_server({"JPY_PARENT_PID": str(os.getpid())}) is None


@pytest.mark.parametrize("environ", [{}, {"JPY_PARENT_PID": "../../etc"}, {"JPY_PARENT_PID": "1"}])
def test_without_a_server_there_is_none(runtime, environ):
    assert find_server(environ) is None


def test_a_server_on_a_unix_socket_cannot_be_asked(runtime):
    assert find_server(runtime(sock="/run/jupyter.sock")) is None


def test_a_broken_record_is_no_record(tmp_path, runtime):
    environ = runtime()
    (tmp_path / f"jpserver-{os.getpid()}.json").write_text("{")
    assert find_server(environ) is None


def test_jupyterhub_says_where_its_server_is(runtime):
    hub = {"JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/me/", "JUPYTERHUB_API_TOKEN": "hub"}
    assert find_server(hub) == ("http://127.0.0.1:8888/user/me/", "hub")


def test_a_hubs_server_takes_the_hubs_token(runtime):
    assert find_server({**runtime(token=""), "JUPYTERHUB_API_TOKEN": "hub"})[1] == "hub"


# --- asking


def test_an_action_is_posted_below_the_base_url_with_the_token():
    with serving(answer={"RequestId": "R", "Jobs": []}) as server:
        assert HttpBackend(server.url, TOKEN).call("ListJobs", {"ClusterId": "local"}, 5) == {
            "RequestId": "R",
            "Jobs": [],
        }
        ((path, headers, body),) = server.seen
    assert path == "/base/ehpc/ListJobs"
    assert headers["Authorization"] == f"token {TOKEN}"
    assert body == {"ClusterId": "local"}


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with serving() as server:
        assert HttpBackend(server.url, TOKEN).call("ListJobs", {}, 5)


def test_an_api_error_is_that_error():
    line = "The specified parameter JobSpec.WallTime is invalid: it is too long"
    body = {"RequestId": "R-7", "Code": "InvalidParams", "Message": line}
    with serving(400, body) as server, pytest.raises(InvalidParams) as caught:
        HttpBackend(server.url, TOKEN).call("CreateJob", {}, 5)
    assert [(p.field, p.message) for p in caught.value.problems] == [("JobSpec.WallTime", "it is too long")]
    assert caught.value.request_id == "R-7"


@pytest.mark.parametrize("kind", ERRORS)
def test_every_row_of_the_table_comes_back_as_its_own_class(kind):
    made = kind(Problem("JobName", "no")) if kind is InvalidParams else kind("no")
    body = {"RequestId": "R-7", "HostId": "h", "Code": made.code, "Message": made.message, "Recommend": made.recommend}
    with serving(kind.http_status, body) as server, pytest.raises(EhpcError) as caught:
        Client(backend=HttpBackend(server.url, TOKEN)).queues()
    error = caught.value
    assert type(error) is kind
    assert (error.message, error.recommend, error.request_id) == (made.message, made.recommend, "R-7")


def test_who_is_slowed_down_is_told_for_how_long():
    body = {"Code": "Throttling.User", "Message": "slow", "Recommend": "Try again in 250 ms."}
    with serving(429, body, **{"x-acs-retry-after": "250"}) as server, pytest.raises(Throttling) as caught:
        HttpBackend(server.url, TOKEN).call("GetJob", {}, 5)
    assert caught.value.transient
    assert caught.value.retry_after_ms == 250


@pytest.mark.parametrize(
    ("status", "answer", "kind", "words"),
    [
        (403, {"message": "Forbidden"}, Forbidden, "token"),
        (302, b"", Forbidden, "token"),
        (502, b"<html>bad gateway", LostAnswer, "proxy"),
        (503, b"", ServiceUnavailable, "not ready"),
        (500, b"oops", AgentError, "HTTP 500"),
        (200, b"<html>", AgentError, "HTTP 200"),
        (404, {"message": "Not Found"}, ExtensionMissing, "jupyter server extension enable"),
    ],
)
def test_an_answer_that_is_not_ours_is_told_in_plain_words(status, answer, kind, words):
    with serving(status, answer, Location="/login") as server, pytest.raises(kind, match=words) as caught:
        HttpBackend(server.url, TOKEN).call("GetJob", {}, 5)
    assert type(caught.value) is kind
    assert len(server.seen) == 1


def test_a_server_that_is_gone_says_what_to_do():
    with pytest.raises(ServiceUnavailable, match="restart this kernel") as caught:
        HttpBackend(f"http://127.0.0.1:{free_port()}/", TOKEN).call("CreateJob", {}, 5)
    assert not isinstance(caught.value, LostAnswer)


@pytest.mark.parametrize("how", ["hang up", "wait"])
def test_an_answer_that_does_not_come_is_lost_and_not_asked_for_from_here(how):
    with serving(answer=how) as server, pytest.raises(LostAnswer):
        HttpBackend(server.url, TOKEN).call("CreateJob", {}, 0.3)
    assert len(server.seen) == 1


@pytest.mark.parametrize("how", ["hang up", {"message": "Forbidden"}])
def test_the_token_is_in_no_error_and_no_repr(how):
    with serving(403, how) as server:
        backend = HttpBackend(server.url, TOKEN)
        with pytest.raises(EhpcError) as caught:
            backend.call("CreateJob", {}, 5)
        told = (
            "".join(traceback.format_exception(caught.value))
            + repr(backend)
            + backend.describe()
            + repr(backend._auth.__dict__)
        )
    assert TOKEN not in told


# --- choosing


def test_a_server_without_the_extension_gives_way_to_the_kernel(runtime, backend):
    with serving(404, {"message": "Not Found"}) as server:
        found = FoundBackend(runtime(url=server.url), kernel=backend)
        client = Client(backend=found)
        assert client.where() == server.url
        assert [queue.queue_name for queue in client.queues()] == ["batch", "long"]
        assert client.where() == "a fake"
        client.queues()
    assert len(server.seen) == 1


def test_no_such_job_is_no_missing_extension(runtime, backend):
    answer = {"RequestId": "R", "Code": "JobNotFound", "Message": "no"}
    with serving(404, answer) as server, pytest.raises(EhpcError, match="JobNotFound"):
        FoundBackend(runtime(url=server.url), kernel=backend).call("GetJob", {}, 5)
    assert backend.calls == []


def test_a_server_that_does_not_answer_is_no_reason_to_switch(runtime, backend):
    with pytest.raises(ServiceUnavailable):
        FoundBackend(runtime(url=f"http://127.0.0.1:{free_port()}/"), kernel=backend).call("ListJobs", {}, 5)
    assert backend.calls == []


def test_without_a_server_the_kernel_answers(runtime, backend):
    assert Client(backend=FoundBackend({}, kernel=backend)).where() == "a fake"


def test_the_kernels_service_is_called_with_wire_names():
    class Service:
        def call(self, action, body):
            return {"RequestId": "R", "said": [action, body]}

    answer = KernelBackend(Service()).call("GetJob", {"JobId": "1"}, 5)
    assert answer["said"] == ["GetJob", {"JobId": "1"}]


def test_a_server_can_be_named_as_jupyter_prints_it():
    with serving() as server:
        server_at(f"{server.url}lab?token={TOKEN}", None).call("ListJobs", {}, 5)
        ((path, headers, _),) = server.seen
    assert (path, headers["Authorization"]) == ("/base/ehpc/ListJobs", f"token {TOKEN}")


def test_a_named_server_without_the_extension_is_an_error_and_no_switch():
    with (
        serving(404, {"message": "Not Found"}) as server,
        pytest.raises(ServiceUnavailable, match="enable ehpc_jupyter"),
    ):
        Client(server=f"{server.url}?token=x").queues()


def test_a_named_server_must_be_an_address():
    with pytest.raises(ValueError, match="http://localhost"):
        Client(server="localhost:8888")


def test_client_arguments_that_exclude_each_other():
    with pytest.raises(TypeError, match="either"):
        Client(server="http://x/", backend=KernelBackend())
    with pytest.raises(TypeError, match="token"):
        Client(token="x")

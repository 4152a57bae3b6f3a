"""What the way to a cluster meets in the field: login shells of every kind, profiles that print or read, servers that hang."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
import traceback
from pathlib import Path

import pytest

from ehpc_jupyter.errors import AgentError, EhpcError, ServiceUnavailable
from ehpc_jupyter.models.cluster import ClusterProfile
from ehpc_jupyter.transport.base import LoginRefused, LostAnswer, Unreachable
from ehpc_jupyter.transport.ssh import SSHTransport
from tests.cluster.test_slurm import Proxy, make
from tests.cluster.wire import Wire
from tests.conftest import wait_for

SFTP = "/usr/lib/openssh/sftp-server"
LOGIN = """#!/bin/sh
# What sshd does with an account's login shell, for any shell.
case $SSH_ORIGINAL_COMMAND in {sftp}) exec {sftp} ;; esac
{profile}
exec {shell} -c "$SSH_ORIGINAL_COMMAND"
"""


@pytest.fixture
def sshd(lab, tmp_path):
    """Start an sshd of the test's own, in front of the lab's Slurm; gives what a profile needs."""
    running = []
    place = Path("/tmp") / f"ehpc-sshd-{os.getpid()}-{tmp_path.name}"
    place.mkdir(mode=0o755)

    def start(profile="", shell="/bin/bash", **settings):
        login = place / f"login-{len(running)}"
        login.write_text(LOGIN.format(sftp=SFTP, profile=profile, shell=shell))
        login.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        values = {
            "ListenAddress": "127.0.0.1",
            "Port": port,
            "HostKey": Path(lab.known_hosts).parent / "host_key",
            "PidFile": "none",
            "AllowUsers": "ehpcuser",
            "UsePAM": "no",
            "Subsystem": f"sftp {SFTP}",
            "ForceCommand": login,
            "PrintMotd": "no",
            **settings,
        }
        config = place / f"sshd_config-{port}"
        config.write_text("".join(f"{name} {value}\n" for name, value in values.items()))
        running.append(subprocess.Popen(["/usr/sbin/sshd", "-D", "-E", place / f"log-{port}", "-f", config]))
        wait_for(lambda: _listens(port), what="the sshd")
        known = place / f"known-{port}"
        known.write_text(Path(lab.known_hosts).read_text().replace(f"]:{lab.port}", f"]:{port}"))
        return {"port": port, "known_hosts": str(known)}

    yield start
    for process in running:
        process.terminate()
        process.wait(10)
    shutil.rmtree(place)


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def transport(lab, **more):
    return SSHTransport(ClusterProfile.from_wire({"name": "x", **lab.profile(), **more}))


NOISE = "echo 'Welcome to the cluster'; printf half; echo 'a warning' >&2"


@pytest.mark.parametrize("profile", ["", NOISE, "printf 'Grüße\\377'"])
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash", "/usr/bin/tcsh", "/usr/bin/fish"])
def test_any_login_shell_and_what_its_profile_prints(lab, tmp_path, sshd, shell, profile):
    site = make(lab, tmp_path, **sshd(profile, shell))
    assert "comp" in [queue["QueueName"] for queue in site.call("ListQueues")["Queues"]]
    job = site.submit(name='it\'s "a" $(name) !x \\n', Script="echo $x; exit 3", Variables={"x": "a'b!c\\n"})
    detail = site.wait(job)
    assert (detail["State"], detail["ExitCode"], site.log(job)) == ("FAILED", 3, "a'b!c\\n\n")
    site.service.close()


@pytest.mark.parametrize("profile", ["cat >/dev/null", "head -c 300 >/dev/null", "read a; read b"])
def test_a_profile_that_reads_what_was_meant_for_us_runs_nothing_by_half(lab, tmp_path, sshd, profile):
    site = make(lab, tmp_path, **sshd(profile))
    marker = site.home / f"ran-{time.time_ns()}"
    line = f"touch {marker}\n"
    with pytest.raises(EhpcError, match="standard input"):
        site.submit(Script=line * 500)
    assert not marker.exists()
    assert site.call("ListJobs")["TotalCount"] == 0
    site.service.close()


def test_an_account_whose_shell_runs_nothing(lab, tmp_path, sshd):
    site = make(lab, tmp_path, **sshd("echo 'This account is currently not available.'; exit 1"))
    with pytest.raises(ServiceUnavailable, match="currently not available"):
        site.submit(Script="true")
    assert site.call("ListJobs")["TotalCount"] == 0
    site.service.close()


def test_a_profile_that_prints_into_the_file_service(lab, sshd, tmp_path):
    noisy = sshd(Subsystem="sftp internal-sftp", ForceCommand=f"/bin/sh -c 'echo Welcome; exec {SFTP}'")
    with transport(lab, **noisy) as way, pytest.raises(Unreachable, match="print something"):
        _ = way.home


def test_a_connection_that_drops_is_no_answer(lab, tmp_path):
    proxy = Proxy(lab.host, lab.port)
    known = tmp_path / "known"
    known.write_text(Path(lab.known_hosts).read_text().replace(f"]:{lab.port}", f"]:{proxy.port}"))
    done = {}
    with transport(lab, port=proxy.port, known_hosts=str(known)) as way:
        started = Path(way.home) / f"started-{time.time_ns()}"

        def run():
            try:
                done["answer"] = way.run(("/bin/sh", "-c", f"echo part; touch {started}; sleep 300"))
            except LostAnswer as error:
                done["lost"] = error

        thread = threading.Thread(target=run)
        thread.start()
        wait_for(started.exists, what="the command to run")
        proxy.cut()
        thread.join(20)
    started.unlink()
    proxy.close()
    assert "lost" in done, done


def test_a_connection_that_drops_during_the_login_is_no_refusal(lab, tmp_path):
    wire = Wire(lab.host, lab.port)
    known = tmp_path / "known"
    known.write_text(Path(lab.known_hosts).read_text().replace(f"]:{lab.port}", f"]:{wire.port}"))
    for size in range(200, 4000, 150):
        wire.cut_before_answer(size)
        with transport(lab, port=wire.port, known_hosts=str(known)) as way, contextlib.suppress(ServiceUnavailable):
            way.run(("true",))
    wire.close()
    assert wire.hits > 10


def test_a_connection_full_of_commands_that_hang_is_left(lab):
    with transport(lab) as way:
        for _ in range(12):
            with pytest.raises(LostAnswer):
                way.run(("sleep", "120"), timeout_s=0.3)
        assert way.run(("echo", "here")).stdout == b"here\n"


#: 10,000 records as squeue prints them.
MANY = r"""i=0
while [ $i -lt 10000 ]; do i=$((i+1))
  printf '%s\037N/A\037RUNNING\037None\037comp\037ehpcuser\037node%s\0371795000%s\0371795001%s\037N/A\0371:00:00\0371\0374\037N/A' \
    $i $((i % 400)) $((i % 1000)) $((i % 1000))
  printf '\037%08x%08x%08x%08x\037train-%s\036\n' $((i * 7919)) $((i * 104729)) $((i * 1299709)) $((i * 15485863)) $i
done
"""


def test_a_long_queue_is_short_on_its_way(lab, tmp_path):
    proxy, known = Proxy(lab.host, lab.port), tmp_path / "known_hosts"
    known.write_text(Path(lab.known_hosts).read_text().replace(f"]:{lab.port}", f"]:{proxy.port}"))
    try:
        with transport(lab, port=proxy.port, known_hosts=str(known)) as way:
            way.run(("true",))
            before = proxy.back
            answer = way.run(("/bin/sh",), stdin=MANY.encode()).stdout
            passed = proxy.back - before
        assert len(answer) > 1_000_000
        assert passed < len(answer) / 2.5, f"{passed} bytes for {len(answer)}"
    finally:
        proxy.close()


def test_fifty_calls_at_once_on_four_channels(lab, sshd):
    # sshd's own default. It frees a place late, so that four at once may count as eight there.
    with transport(lab, **sshd(MaxSessions=10)) as way:
        answers, home = [], way.home
        threads = [
            threading.Thread(
                target=lambda n=n: answers.append(
                    way.run(("echo", str(n))).stdout if n % 2 else way.read(f"{home}/.bashrc", 0, 3)
                )
            )
            for n in range(50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(answers) == 50


class Silent:
    """A server that takes connections and says nothing."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def test_many_calls_to_a_host_that_hangs_wait_once_and_not_in_turn(lab):
    with Silent() as silent, transport(lab, port=silent.port, connect_timeout_s=1) as way:
        failures = []

        def call():
            try:
                way.run(("true",))
            except Unreachable as error:
                failures.append(error)

        threads = [threading.Thread(target=call) for _ in range(12)]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(failures) == 12
        # Three may be at it at once; those behind them come when a channel is free.
        assert time.monotonic() - begun < 7


def test_a_jump_host_that_hangs_has_a_time_out(lab, tmp_path):
    with Silent() as silent:
        config = tmp_path / "config"
        config.write_text(f"Host far\n  HostName {lab.host}\n  Port {lab.port}\n  ProxyJump localhost:{silent.port}\n")
        profile = {"host": "far", "port": None, "ssh_config": str(config), "connect_timeout_s": 1}
        with transport(lab, **profile) as way:
            begun = time.monotonic()
            with pytest.raises(Unreachable):
                way.run(("true",))
            assert time.monotonic() - begun < 5


def test_a_jump_host_that_is_not_known_is_refused(lab, tmp_path):
    (tmp_path / "known").write_text("")
    config = tmp_path / "config"
    key = lab.users["ehpcuser"]["key"]
    config.write_text(
        f"Host jump\n  HostName {lab.host}\n  Port {lab.port}\n  User ehpcuser\n  IdentityFile {key}\n"
        f"  UserKnownHostsFile {tmp_path / 'known'}\n"
        f"Host far\n  HostName {lab.host}\n  Port {lab.port}\n  ProxyJump jump\n  UserKnownHostsFile {lab.known_hosts}\n"
    )
    profile = {"host": "far", "port": None, "known_hosts": None, "ssh_config": str(config)}
    with transport(lab, **profile) as way, pytest.raises(LoginRefused, match="host key"):
        way.run(("true",))


def test_a_way_that_went_silent_is_left_for_a_new_one(lab, tmp_path):
    proxy = Proxy(lab.host, lab.port)
    known = tmp_path / "known"
    known.write_text(Path(lab.known_hosts).read_text().replace(f"]:{lab.port}", f"]:{proxy.port}"))
    with transport(lab, port=proxy.port, known_hosts=str(known), connect_timeout_s=1) as way:
        assert way.run(("echo", "1")).stdout == b"1\n"
        proxy.mute.set()
        begun = time.monotonic()
        with pytest.raises(Unreachable):
            way.run(("echo", "2"))
        assert time.monotonic() - begun < 10
        proxy.mute.clear()
        assert way.run(("echo", "3")).stdout == b"3\n"
    proxy.close()


@pytest.mark.parametrize(
    "line", ["@cert-authority *.example.org ssh-rsa AAAAB3NzaC1yc2E=", "x ssh-rsa A", "\udcff ssh-rsa A", "garbage"]
)
def test_a_line_of_known_hosts_that_cannot_be_read_is_passed_over(lab, tmp_path, line):
    known = tmp_path / "known"
    known.write_text(line + "\n" + Path(lab.known_hosts).read_text(), errors="surrogateescape")
    with transport(lab, known_hosts=str(known)) as way:
        assert way.run(("echo", "here")).stdout == b"here\n"


def test_a_key_file_that_is_not_there_is_named(lab):
    with transport(lab, identity_file="~/.ssh/nosuch") as way, pytest.raises(LoginRefused, match=r"\.ssh/nosuch"):
        way.run(("true",))


def test_files_that_are_no_files(lab):
    with transport(lab, command_timeout_s=5) as way:
        place = f"{way.home}/odd-{time.time_ns()}"
        way.run(("mkdir", place))
        way.run(("mkfifo", f"{place}/fifo"))
        way.run(("ln", "-s", "/nowhere", f"{place}/dangling"))
        assert way.read("/dev/null") == (b"", 0)
        for path in (place, f"{place}/fifo"):
            with pytest.raises(AgentError, match=path):
                way.read(path)
        assert [info.name for info in way.list(place)] == ["dangling", "fifo"]
        way.run(("touch", f"{place}/plain"))
        assert way.read(f"{place}/plain", 10**30, 5) == (b"", 0)
        way.run(("/bin/sh", "-c", f"touch {place}/$(printf 'caf\\351')"))
        with pytest.raises(AgentError, match="UTF-8"):
            way.list(place)
        way.run(("rm", "-r", place))


def test_a_password_is_in_no_log_no_error_and_no_file_there(lab, tmp_path, caplog, slurm_with_password):
    caplog.set_level("DEBUG")
    logging.getLogger("paramiko").setLevel("DEBUG")
    site, password = slurm_with_password
    for given in (password, "canary-wrong-7f3a9"):
        caplog.clear()
        error = None
        try:
            job = site.submit(Script="cat /proc/[0-9]*/cmdline", RunasUser="ehpcother", RunasUserPassword=given)
        except EhpcError as refusal:
            error = refusal
        else:
            detail = site.wait(job)
            assert password not in site.log(job)
            assert password not in lab.run(
                "cat", "--", *(f"{detail['Folder']}/{name}" for name in ("job.sh", "request.json"))
            )
        assert "userauth" in caplog.text.lower() or "auth" in caplog.text.lower()
        seen = caplog.text + "".join(traceback.format_exception(error) if error else ())
        assert given not in seen
        while error is not None:
            assert given not in repr(error) + str(vars(error))
            error = error.__context__
    assert not [path for path in tmp_path.rglob("*.sqlite*") if password.encode() in path.read_bytes()]


@pytest.fixture
def slurm_with_password(lab, tmp_path):
    site = make(lab, tmp_path)
    yield site, lab.users["ehpcother"]["password"]
    site.service.close()

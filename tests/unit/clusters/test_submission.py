"""The submit program, run by a real ``/bin/sh`` with a scheduler that only notes what it was given."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehpc_jupyter.clusters.submission import (
    HEAD,
    SHELL,
    folder_name,
    job_name,
    make_plan,
    parse_outcome,
    probe_program,
    submit_program,
)
from ehpc_jupyter.errors import InvalidParams
from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.schedulers.slurm import SlurmScheduler

#: Takes the place of sbatch on PATH: notes its arguments, answers with an id.
FAKE = """#!/bin/sh
for a; do printf '%s\\0' "$a"; done >"$FAKE_NOTES/argv.$$"
printf 'a warning\\n' >&2
echo ${FAKE_ID-4711}
exit ${FAKE_EXIT-0}
"""


class Desk:
    """A home with a fake sbatch."""

    def __init__(self, root):
        self.home = root / "home"
        self.home.mkdir()
        (root / "bin").mkdir()
        fake = root / "bin" / "sbatch"
        fake.write_text(FAKE)
        fake.chmod(0o755)
        self.notes = root / "notes"
        self.notes.mkdir()
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
            "FAKE_NOTES": str(self.notes),
        }

    def plan(self, request_id=None, **spec):
        request = CreateJobRequest.from_wire({"ClusterId": "x", "JobSpec": spec})
        request_id = request_id or uuid.uuid4().hex
        name = job_name(request)
        folder = f"{self.home}/ehpc-jobs/{folder_name('2026-01-01', name, request_id)}"
        return make_plan(
            request, request_id=request_id, name=name, folder=folder, home=str(self.home), scheduler=SlurmScheduler()
        )

    def run(self, program, **environment):
        done = subprocess.run(
            SHELL,
            input=(HEAD + program).encode(),
            capture_output=True,
            timeout=20,
            env=self.environment | environment,
            cwd=self.home,
            check=True,
        )
        assert done.stderr == b""
        return parse_outcome(done.stdout.decode(), ())

    def submit(self, plan, **environment):
        return self.run(submit_program(plan, SlurmScheduler()), **environment)

    def argv(self):
        (note,) = self.notes.iterdir()
        return note.read_text().split("\0")[:-1]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_one_run_submits_and_leaves_a_receipt(desk):
    plan = desk.plan(Script="echo hi")
    outcome = desk.submit(plan)
    assert (outcome.state, outcome.submit.stdout, outcome.submit.stderr) == ("new", "4711", "a warning")
    folder = Path(plan.submission.folder)
    assert (folder / "receipt").read_text() == "0\n4711\n"
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert desk.argv()[-1] == f"{folder}/job.sh"
    assert f"--comment={plan.request_id}" in desk.argv()


def test_a_second_run_submits_nothing_and_tells_the_same(desk):
    plan = desk.plan(Script="echo hi")
    desk.submit(plan)
    again = desk.submit(plan, FAKE_ID="4712")
    assert (again.state, again.submit.stdout, again.submit.stderr) == ("known", "4711", "a warning")
    assert len(list(desk.notes.iterdir())) == 1


def test_a_probe_tells_the_receipt_of_a_lost_answer(desk):
    plan = desk.plan(Script="echo hi")
    desk.submit(plan)
    assert desk.run(probe_program(plan.submission.folder)).submit.stdout == "4711"


def test_a_probe_that_comes_first_takes_the_place(desk):
    plan = desk.plan(Script="echo hi")
    assert desk.run(probe_program(plan.submission.folder)).state == "void"
    assert desk.submit(plan).state == "void"
    assert not list(desk.notes.iterdir())


def test_a_submission_cut_off_in_the_middle_is_told(desk):
    plan = desk.plan(Script="echo hi")
    desk.submit(plan)
    folder = Path(plan.submission.folder)
    (folder / "receipt").unlink()
    host = Path("/proc/sys/kernel/hostname").read_text().strip()
    (folder / "pid").write_text(f"999999999 {host}\n")
    assert desk.run(probe_program(plan.submission.folder)).state == "broken"
    (folder / "pid").write_text(f"{os.getpid()} {host}\n")
    assert desk.run(probe_program(plan.submission.folder)).state == "running"
    (folder / "pid").write_text(f"{os.getpid()} another-{host}\n")
    assert desk.run(probe_program(plan.submission.folder)).state == "unseen"


def test_a_refusal_keeps_the_schedulers_words(desk):
    outcome = desk.submit(desk.plan(Script="echo hi"), FAKE_EXIT="1", FAKE_ID="")
    assert (outcome.submit.exit_code, outcome.submit.words) == (1, "a warning")


def test_noise_of_a_login_profile_is_not_ours(desk):
    plan = desk.plan(Script="echo hi")
    program = "echo 'Welcome to the cluster'; printf 'no newline'\n" + submit_program(plan, SlurmScheduler())
    assert desk.run(program).submit.stdout == "4711"


def test_output_cut_short_is_no_answer(desk):
    assert parse_outcome("\x1estate\x1fnew\n", ()) is None
    assert parse_outcome("", ()) is None


def test_directives_of_a_script_come_first_in_what_is_submitted(desk):
    script = desk.home / "s.sh"
    script.write_text("#!/bin/bash\n# a comment\n#SBATCH --time=5\n\n#SBATCH -p comp\necho\n#SBATCH --late\n")
    script.chmod(0o755)
    plan = desk.plan(CommandLine="s.sh a")
    assert desk.submit(plan).state == "new"
    lines = Path(plan.submission.script).read_text().splitlines()
    assert lines[:3] == ["#!/bin/sh", "#SBATCH --time=5", "#SBATCH -p comp"]
    assert (Path(plan.submission.folder) / "script").read_text() == script.read_text()


def test_directives_and_resources_name_both(desk):
    script = desk.home / "s.sh"
    script.write_text("#!/bin/bash\n#SBATCH --time=5\n")
    script.chmod(0o755)
    outcome = desk.submit(desk.plan(CommandLine="s.sh", Resources={"Cores": 2}))
    (problem,) = outcome.problems
    assert problem.field == "JobSpec.Resources"
    assert "#SBATCH --time=5" in problem.message
    assert "Resources" in problem.message
    assert not (desk.home / "ehpc-jobs").exists()


def test_all_problems_at_once(desk):
    outcome = desk.submit(desk.plan(CommandLine="none.sh", StdoutPath="/none/x", StderrPath="/none/y", WorkDir="/none"))
    assert [p.field.rpartition(".")[2] for p in outcome.problems] == [
        "StdoutPath",
        "StderrPath",
        "WorkDir",
        "CommandLine",
    ]


def test_a_full_disk_is_told(desk):
    (desk.home / "ehpc-jobs").write_text("a file where the folder should be")
    outcome = desk.submit(desk.plan(Script="true"))
    assert "cannot be made" in outcome.refused


def test_the_jobs_umask_is_the_accounts(desk):
    desk.run("umask 022\n" + submit_program(desk.plan(Script="true"), SlurmScheduler()))
    (note,) = desk.notes.iterdir()
    assert oct(note.stat().st_mode)[-3:] == "644"


def test_the_account_s_own_environment_reaches_the_job_and_no_more(desk):
    fake = Path(desk.environment["PATH"].partition(":")[0]) / "sbatch"
    fake.write_text("#!/bin/sh\nenv >$FAKE_NOTES/env\necho 1\n")
    traps = {"SBATCH_ARRAY_INX": "1-9", "SBATCH_WAIT": "1", "LC_ALL": "C.UTF-8", "SBATCH_ACCOUNT": "proj"}
    desk.submit(desk.plan(Script="true"), **traps)
    seen = dict(line.split("=", 1) for line in (desk.notes / "env").read_text().splitlines())
    assert (seen["LC_ALL"], seen["SBATCH_ACCOUNT"]) == ("C.UTF-8", "proj")
    assert not {"SBATCH_ARRAY_INX", "SBATCH_WAIT"} & set(seen)
    (desk.notes / "env").unlink()
    desk.submit(desk.plan(Script="true"))
    assert "LC_ALL=" not in (desk.notes / "env").read_text()


@pytest.mark.parametrize("line", ["-a1-5", "-a 1-5", "--array=1-5", "--mem=1G -a1-2"])
def test_an_array_in_a_directive_is_refused(desk, line):
    for spec in ({"Script": f"#SBATCH {line}\ntrue"}, {"CommandLine": "s.sh"}):
        (desk.home / "s.sh").write_text(f"#!/bin/sh\n#SBATCH {line}\ntrue\n")
        (desk.home / "s.sh").chmod(0o755)
        (problem,) = desk.submit(desk.plan(**spec)).problems
        assert "ArrayRequest" in problem.message


def test_a_home_with_odd_characters(tmp_path):
    (tmp_path / 'a b\'s "%j" $x').mkdir()
    desk = Desk(tmp_path / 'a b\'s "%j" $x')
    plan = desk.plan(Script="echo hi", StdoutPath="~/o", PostCmdLine="echo post")
    assert desk.submit(plan).state == "new"
    assert f"--output={desk.home}/o".replace("%j", "%%j") in desk.argv()
    done = subprocess.run(["/bin/sh", plan.submission.script], capture_output=True, env=desk.environment, check=True)
    assert done.stdout == b"hi\npost\n"


def test_a_script_of_three_megabytes(desk):
    text = "#!/bin/sh\n" + "# it's a line of text\n" * 150_000 + "echo end\n"
    plan = desk.plan(Script=text)
    assert desk.submit(plan).state == "new"
    assert (Path(plan.submission.folder) / "script").read_text() == text


def test_the_longest_values_arrive_and_longer_ones_are_refused(desk):
    values = [{"Name": f"V{n}", "Value": "x"} for n in range(200)]
    longest = {"Name": "N" * 255, "Value": "y" * (131_071 - 300)}
    plan = desk.plan(Script='#!/bin/sh\nenv | wc -c; echo "$V199"', Variables=[*values, longest])
    assert desk.submit(plan).state == "new"
    done = subprocess.run(["/bin/sh", plan.submission.script], capture_output=True, env=desk.environment, check=True)
    assert int(done.stdout.split()[0]) > 131_071 - 300
    for spec, field in (
        ({"Variables": [{"Name": "x", "Value": "y" * 131_071}]}, "JobSpec.Variables"),
        ({"Variables": [{"Name": f"x{n}", "Value": "y" * 100_000} for n in range(20)]}, "JobSpec.Variables"),
        ({"PostCmdLine": "y" * 131_072}, "JobSpec.PostCmdLine"),
        ({"StdoutPath": "/tmp/" + "y" * 256}, "JobSpec.StdoutPath"),
        ({"Script": None, "CommandLine": "-- /bin/echo " + "y" * 131_072}, "JobSpec.CommandLine"),
    ):
        with pytest.raises(InvalidParams) as refusal:
            desk.plan(**{"Script": "true", **spec})
        assert [problem.field for problem in refusal.value.problems] == [field]


# Run the batch script itself, as a compute node would.

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(TEXT, min_size=1, max_size=4), arguments=st.lists(TEXT, max_size=3), post=st.booleans())
def test_whatever_is_typed_arrives_byte_for_byte_or_is_refused(values, arguments, post):
    with tempfile.TemporaryDirectory() as root:
        desk = Desk(Path(root))
        show = desk.home / "show.sh"
        names = [f"V{i}" for i in range(len(values))]
        body = "".join(f"printf '%s\\0' \"${name}\"\n" for name in names)
        show.write_text("#!/bin/sh\nfor a; do printf '%s\\0' \"$a\"; done\n" + body)
        show.chmod(0o755)
        more = {"PostCmdLine": "printf 'post\\0'"} if post else {}
        try:
            plan = desk.plan(
                CommandLine=shlex.join(["show.sh", *arguments]), Variables=dict(zip(names, values, strict=True)), **more
            )
        except InvalidParams as refusal:
            assert all(problem.message for problem in refusal.problems)
            assert any(ord(c) < 32 or ord(c) == 127 for a in arguments for c in a)
            return
        assert desk.submit(plan).state == "new"
        assert len(list(desk.notes.iterdir())) == 1
        done = subprocess.run(
            ["/bin/sh", plan.submission.script],
            capture_output=True,
            env=desk.environment,
            cwd=desk.home,
            timeout=20,
            check=False,
        )
        assert done.stderr == b""
        assert done.stdout.decode().split("\0")[:-1] == [*arguments, *values, *(["post"] if post else [])]
        assert sorted(p.name for p in desk.home.iterdir()) == ["ehpc-jobs", "show.sh"]


@settings(max_examples=40, deadline=None)
@given(name=TEXT, path=TEXT, queue=TEXT)
def test_values_on_the_schedulers_command_line_arrive_exactly(name, path, queue):
    with tempfile.TemporaryDirectory() as root:
        desk = Desk(Path(root))
        spec = {"Script": "true", "StdoutPath": f"{root}/{path}", "JobQueue": queue}
        try:
            request = CreateJobRequest.from_wire({"ClusterId": "x", "JobName": name, "JobSpec": spec})
        except InvalidParams as refusal:
            assert all(problem.message for problem in refusal.problems)
            return
        plan = make_plan(
            request,
            request_id="r",
            name=job_name(request),
            folder=f"{desk.home}/ehpc-jobs/f",
            home=str(desk.home),
            scheduler=SlurmScheduler(),
        )
        outcome = desk.submit(plan)
        if outcome.problems:
            assert not list(desk.notes.iterdir())
            return
        argv = desk.argv()
        assert f"--job-name={job_name(request)}" in argv
        assert f"--output={root}/{path}" in argv

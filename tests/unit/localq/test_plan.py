from hypothesis import given
from hypothesis import strategies as st

from ehpc_jupyter.localq.plan import Amount, Choice, Waiting, plan

MACHINE = Amount(8, 1000, 2)


def decide(free, *waiting, total=MACHINE):
    return list(
        plan(total, free, (Waiting(number, tasks, Amount(*need)) for number, (tasks, need) in enumerate(waiting, 1)))
    )


def test_all_that_fits_starts():
    assert decide(MACHINE, (1, (2, 100, 1)), (6, (1, 0, 0))) == [Choice(1, 1, None), Choice(2, 6, None)]


def test_an_array_starts_as_far_as_it_fits():
    assert decide(Amount(3, 1000, 2), (10, (1, 0, 0))) == [Choice(1, 3, "Resources")]


def test_small_ones_do_not_delay_a_large_one_in_front():
    assert decide(Amount(3, 1000, 2), (1, (8, 0, 0)), (5, (1, 0, 0))) == [
        Choice(1, 0, "Resources"),
        Choice(2, 0, "Priority"),
    ]


def test_a_job_that_waits_for_a_gpu_does_not_stop_others():
    assert decide(Amount(3, 1000, 0), (1, (1, 0, 1)), (5, (1, 0, 0))) == [
        Choice(1, 0, "Resources"),
        Choice(2, 2, "Priority"),
    ]


def test_what_can_never_run_stops_nobody_and_says_why():
    assert decide(MACHINE, (1, (9, 2000, 3)), (1, (8, 0, 0))) == [
        Choice(
            1,
            0,
            "9 cores asked for, this machine has 8; 2000 MB of memory asked for, this machine has 1000;"
            " 3 GPUs asked for, this machine has 2",
        ),
        Choice(2, 1, None),
    ]


def test_it_looks_no_further_than_the_last_core_unless_asked():
    seen = []
    waiting = (seen.append(number) or Waiting(number, 1, Amount(4, 0, 0)) for number in range(1000))
    assert len([c for c in plan(MACHINE, MACHINE, waiting, to_the_end=False) if c.start]) == 2
    assert len(seen) <= 3


amounts = st.builds(Amount, st.integers(1, 8), st.integers(0, 1000), st.integers(0, 2))


@given(amounts, st.lists(st.tuples(st.integers(1, 5), amounts), max_size=8))
def test_never_more_than_is_free_and_the_first_starts_if_it_fits(free, jobs):
    choices = decide(free, *jobs)
    for part in range(3):
        assert sum(choice.start * need[part] for choice, (_, need) in zip(choices, jobs, strict=True)) <= free[part]
    for choice, (tasks, _) in zip(choices, jobs, strict=True):
        assert (choice.start == tasks) == (choice.reason is None)
    if jobs:
        assert choices[0].start == min(jobs[0][0], free.fits(jobs[0][1]))

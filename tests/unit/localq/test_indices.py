import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehpc_jupyter.localq import Refused
from ehpc_jupyter.localq.indices import Array, Indices

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)).map(lambda pair: (pair[0], sum(pair))), max_size=6)


def members(indices):
    return {index for first, last in indices.spans for index in range(first, last + 1)}


@given(spans, spans)
def test_it_is_the_set_of_its_members(one, two):
    a, b = Indices(*one), Indices(*two)
    x, y = members(a), members(b)
    for made, expected in ((a | b, x | y), (a - b, x - y), (a & b, x & y)):
        assert members(made) == expected
        assert len(made) == len(expected)
        assert bool(made) == bool(expected)
        assert made == Indices(*((i, i) for i in expected)), "the same set is written the same way"
        assert Indices.parse(str(made)) == made
    assert a.lowest(5) == sorted(x)[:5]
    assert [i in a for i in range(50)] == [i in x for i in range(50)]


def test_a_million_members_cost_nothing():
    everything = Indices((0, 999_999))
    assert len(everything - Indices((5, 5))) == 999_999
    assert str(everything - Indices((5, 5))) == "0-4,6-999999"
    assert everything.lowest(3) == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1-5:2", [1, 3, 5]), ("1-6:2", [1, 3, 5]), ("0-3", [0, 1, 2, 3]), ("7-7", [7]), ("3-9:100", [3])],
)
def test_array_numbers(text, numbers):
    array = Array.parse(text)
    assert [array.number(i) for i in range(array.size)] == numbers


@pytest.mark.parametrize(
    "text",
    ["", "5", "5-1", "1-5:0", "1-5:", "a-b", "1-2-3", "-1-5", "1-5:2:3", "\u0661-\u0665", " 1-5", "1-9999999999"],
)
def test_no_array(text):
    with pytest.raises(Refused, match="1-5:2"):
        Array.parse(text)


def test_an_array_that_is_too_large():
    assert Array.parse("1-1000000").size == 1_000_000
    with pytest.raises(Refused, match="1000001 tasks; at most 1000000"):
        Array.parse("0-1000000")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("3", "3"),
        ("1,5", "1,5"),
        ("1-9", "1-9:2"),
        ("4-8", "5-7:2"),
        ("1-3:2,9", "1-3:2,9"),
        ("[1,3]", "1-3:2"),
        ("0-99", "1-9:2"),
    ],
)
def test_tasks_by_their_numbers(text, written):
    array = Array.parse("1-10:2")
    assert array.write(array.read(text)) == written
    assert array.read(written) == array.read(text)


@pytest.mark.parametrize("text", ["", "2", "11", "x", "1-", "1-9:3", "-1", "1,,3", "3-1"])
def test_what_is_no_task(text):
    with pytest.raises(Refused, match="1-9:2"):
        Array.parse("1-10:2").read(text)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.problems import ProblemError
from serving.strict_json import decode


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"value": NaN}', "NaN"),
        (b'{"value": -Infinity}', "NaN"),
        (b'{"value": 1, "value": 2}', "repeated"),
        (b'{"id": "\\ud800"}', "surrogate"),
        (b'{"value": ' + b"1" * 5000 + b"}", "digits"),
        (b'{"value": 1.}', "line 1, column 12"),
        (b"", "line 1, column 1"),
        (b'\xff{"value": 1}', "UTF-8"),
        (b"{} {}", "not JSON"),
    ],
)
def test_what_a_lenient_reader_takes_is_malformed(text: bytes, said: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode(text)
    assert caught.value.kind.status == 400
    assert said in caught.value.detail


def test_a_million_brackets_are_too_large_and_harmless() -> None:
    with pytest.raises(ProblemError) as caught:
        decode(b"[" * 1_000_000)
    assert caught.value.kind.status == 413


def test_a_surrogate_pair_is_one_character() -> None:
    assert decode(b'"\\ud83d\\ude00"') == "\U0001f600"


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_problem(body: bytes) -> None:
    try:
        decode(body)
    except ProblemError as problem:
        assert problem.kind.status in (400, 413)

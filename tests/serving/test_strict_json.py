import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.sources.printed import printed
from serving import strict_json
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
        (b'{"value": [' + b"1" * 401 + b"]}", "digits"),
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


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("shape", [b'{"value": %s}', b"[%s]"])
def test_a_sign_is_no_digit_of_a_number(sign: str, shape: bytes) -> None:
    longest = sign + "9" * strict_json.MOST_DIGITS
    read = decode(shape % longest.encode())
    assert str(int(longest)) in str(read)
    with pytest.raises(ProblemError) as caught:
        decode(shape % f"{longest}9".encode())
    assert "digits" in caught.value.detail


def test_a_million_brackets_are_too_large_and_harmless() -> None:
    with pytest.raises(ProblemError) as caught:
        decode(b"[" * 1_000_000)
    assert caught.value.kind.status == 413


def test_a_surrogate_pair_is_one_character() -> None:
    assert decode(b'"\\ud83d\\ude00"') == "\U0001f600"


NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(st.characters(exclude_categories=["Cs"]))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text('ab:"\\', max_size=3), inner)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_the_faster_decoder_reads_what_the_slower_one_reads(value: object) -> None:
    body = json.dumps(value).encode()
    told = strict_json._decode_plain(body)
    assert decode(body) == value
    # To the type as well: 1 and 1.0 are equal, and so are 1 and true.
    assert told is None or repr(told) == repr(json.loads(body))


@pytest.mark.parametrize("key", ["a", "\\u003a"])
def test_fractions_keep_their_digits_where_the_caller_wants_it(key: str) -> None:
    # Of the second key the faster decoder is not sure.
    (found,) = decode(f'{{"{key}": [1.10, 2]}}'.encode(), fraction=printed).values()  # type: ignore[attr-defined]
    assert [str(each) for each in found] == ["1.10", "2"]


@pytest.mark.parametrize("inner", ['{"a": 1, "a": 1}', '[{"b": {}, "b": {}}]'])
def test_a_key_repeated_at_any_depth_is_malformed(inner: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode(f'{{"x": [[{inner}]], "y:": ":"}}'.encode())
    assert "repeated" in caught.value.detail


@pytest.mark.parametrize("colon", ["\\u003a", "\\u003A"])
@pytest.mark.parametrize("kept", ['"b": "{}"', '"b{}": 1', '"b": ["{}"]'])
def test_an_escaped_colon_does_not_stand_in_for_a_repeated_key(kept: str, colon: str) -> None:
    assert decode(f'{{"a": 1, {kept}}}'.replace("{}", colon).encode())
    with pytest.raises(ProblemError) as caught:
        decode(f'{{"a": 1, "a": 1, {kept}}}'.replace("{}", colon).encode())
    assert "repeated" in caught.value.detail


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_problem(body: bytes) -> None:
    try:
        decode(body)
    except ProblemError as problem:
        assert problem.kind.status in (400, 413)

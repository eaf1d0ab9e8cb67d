from collections.abc import Callable
from typing import Any

import pytest

from serving.web.missing import missing_lines
from serving.web.texts import texts

Json = dict[str, Any]
Entry = Callable[..., Json]
ENGLISH = texts("en")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"status": "refused", "risks": []}, "cannot answer without Age."),
        ({"status": "ok"}, "answered without Age, which would make it more certain."),
        (
            {"status": "partial", "groups": ["high"]},
            "lacks Age; the answer is the same whatever they show.",
        ),
        (
            {"status": "partial", "groups": ["low", "high"]},
            "lacks Age: until then low / high possible.",
        ),
    ],
)
def test_what_was_missing_says_what_it_would_change(
    entry: Entry, changed: Json, words: str
) -> None:
    (line,) = missing_lines([entry("a", 2, 0.4, missing=["age"]) | changed], ENGLISH)
    assert line.words == words


def test_a_range_left_open_is_told_with_its_horizon(entry: Entry) -> None:
    told = entry("a", 2, None, lower=0.179, upper=0.442, missing=["bmpc"], status="partial")
    (line,) = missing_lines([told], ENGLISH)
    assert (
        line.words == "lacks Clonal bone-marrow plasma cells: until then 18–44\xa0% within 2 years."
    )


def test_cytogenetic_inputs_are_told_as_the_one_order_they_are(entry: Entry) -> None:
    told = entry("a", 2, 0.4, missing=["fish_t_4_14", "fish_gain_1q"], status="refused")
    (line,) = missing_lines([told], ENGLISH)
    assert line.words == "cannot answer without FISH cytogenetics."

"""Rank, filters, sorting and pages of a list, by hand on five people."""

import numpy as np
import pytest

from serving.web.parts import Part
from serving.web.screening_choice import Choice, Shown, read_choice
from serving.web.screening_list import (
    NO_RISK,
    SCALE,
    ListedModel,
    ListedTrial,
    PatientList,
    pack,
    risks,
    unpack,
)

NAN = float("nan")


def packed(values: list[int]) -> bytes:
    return np.array(values, dtype="<i2").tobytes()


def shares(values: list[float]) -> bytes:
    known = [NO_RISK if np.isnan(v) else round(v * SCALE) for v in values]
    return np.array(known, dtype="<u2").tobytes()


def model(name: str, risk: list[float], lower: list[float], upper: list[float]) -> ListedModel:
    same = packed([0] * 5)
    about = (name, name, "1", "published", "smm", "", "none", True, ("",), ("",))
    return ListedModel(*about, same, same, shares(risk), shares(lower), shares(upper))


@pytest.fixture
def found() -> PatientList:
    trial = ListedTrial(
        "AQUILA", "NCT", "1", "source", "", ("", "why"), ("", ""),
        packed([0, 0, 1, 2, 3]), packed([0, 0, 1, 1, -1]),
    )  # fmt: skip
    flat = [NAN] * 5
    return PatientList(
        file="list.csv",
        dated=False,
        subject_ids=("b", "A", "c", "d", "e"),
        time_years=np.array([1.0, 3.0, 2.0, 0.5, NAN]).tobytes(),
        stage=packed([2, 2, 2, 1, -1]),
        stage_reasons=("",),
        stage_reason=packed([0, 0, 0, 0, -1]),
        trials=(trial,),
        models=(
            model("pangea-smm", [0.2, NAN, 0.9, 0.05, NAN], [0.1, 0.2, 0.8, 0, NAN],
                  [0.3, 0.6, 1, 0.1, NAN]),
            model("other", [0.1, 0.7, 0.2, NAN, NAN], flat, flat),
        ),
        least=packed([-1, 0, 1, -1, -1]),
        most=packed([-1, 1, 0, -1, -1]),
        refusals={4: "row 9, age: must lie within 18-110 years"},
        doubts={},
        notes=(),
    )  # fmt: skip


def names(found: PatientList, **choice: object) -> str:
    shown = Shown(found, Choice(**choice))  # type: ignore[arg-type]
    return "".join(found.subject_ids[i] for i in shown.subjects)


def test_the_rank_is_by_eligibility_and_then_risk_a_range_by_its_middle(found):
    # Eligible: b 0.2, A 0.2-0.6 with the middle 0.4. Unknown c, excluded d, refused e.
    assert names(found) == "Abcde"
    assert names(found, model="other") == "Abcde"
    assert Shown(found, Choice()).rank.tolist() == [2, 1, 3, 4, 5]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("subject", "Abcde"),
        ("-subject", "edcbA"),
        ("visit", "dbcAe"),
        ("-visit", "Acbde"),
        ("stage", "dAbce"),
        ("-stage", "Abcde"),
        ("parted", "Acbde"),
        ("model:pangea-smm", "cAbde"),
        ("-model:pangea-smm", "dbAce"),
        ("model:other", "Acbde"),
        ("model:nobody", "Abcde"),
        ("nonsense", "Abcde"),
        ("-rank", "edcbA"),
    ],
)
def test_every_column_sorts_both_ways_and_what_has_nothing_stays_last(found, sort, order):
    assert names(found, sort=sort) == order


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ({"find": "a"}, "A"),
        ({"status": "unknown"}, "c"),
        ({"status": "not answered"}, "e"),
        ({"stage": "MGUS"}, "d"),
        ({"parted": True}, "Ac"),
        ({"least": "40"}, "Ac"),
        ({"least": "39,9 %"}, "Ac"),
        ({"least": "many"}, "Abcde"),
        ({"least": "nan"}, "Abcde"),
        ({"least": "20", "status": "eligible"}, "Ab"),
    ],
)
def test_filters_are_all_kept_to(found, choice, left):
    assert names(found, **choice) == left


def test_a_page_beyond_the_last_is_the_last(found):
    assert Shown(found, Choice(page=99)).page == 1
    assert Shown(found, Choice(page=0)).page == 1


def test_what_is_not_understood_is_not_chosen():
    typed = {"status": "x", "stage": "y", "page": "-3", "sort": "", "parted": ""}
    parts = {name: Part(text.encode()) for name, text in typed.items()}
    assert read_choice(parts) == Choice()
    assert read_choice({"page": Part("٣".encode())}).page == 1


def test_a_list_travels_whole_and_every_risk_of_four_decimals_is_exact(found):
    assert unpack(pack(found)) == found
    every = np.arange(10_001) / 10_000
    again = risks(shares(every.tolist()))
    assert np.array_equal(np.round(again, 12), every)


def test_counts_and_yield_are_of_everybody_whatever_the_filters(found):
    shown = Shown(found, Choice(find="nobody", model="other"))
    assert shown.counts() == {"eligible": 2, "unknown": 1, "excluded": 1, "not answered": 1}
    # Eligible by the other model: 0.7 and 0.1.
    assert shown.yields().events.round(6).tolist() == [0.7, 0.8]

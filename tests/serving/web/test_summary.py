from typing import Any

import pytest

from models.agreement import Voice, agreement_of
from models.completions import NextTest
from serving.web.summary import agreement_lines, summary
from serving.web.texts import texts

Json = dict[str, Any]
ENGLISH = texts("en")


def document(stage: str, *, agree: bool = True) -> Json:
    voices = [
        {"model": "a", "lower": 0.16, "upper": 0.16},
        {"model": "b", "lower": 0.2, "upper": 0.9},
        {"model": "c", "lower": 0.5, "upper": 0.5},
    ]
    apart = [] if agree else [["a", "c"]]
    rows = [{"horizon_years": 2.0, "agree": agree, "voices": voices, "apart": apart}]
    reason = "needs bmpc; not looked for: an osteolytic lesion"
    # The last of the three is no event: it would be burden alone.
    unknown = ["mri_lesions", "hypercalcemia", "urine_m_protein_500"]
    return {"staging": {"stage": stage, "unknown": unknown, "reason": reason}, "agreement": rows}


def test_the_summary_is_the_range_the_verdict_and_the_next_test() -> None:
    found = summary(document("SMM", agree=False), [NextTest("bmpc", 0.2, ("20-2-20",))], ENGLISH)
    assert found.risk_heading == "Risk of progression within 2 years"
    assert found.risk == "16–90\xa0%"
    assert found.verdict == (
        "2 of 3 models agree within ten points: b, c (20–90\xa0%). "
        "Lowest a 16\xa0%, highest b 90\xa0%."
    )
    assert found.next_test == "Clonal bone-marrow plasma cells"
    assert found.next_why == "It would narrow 20/2/20."
    assert found.open_stage == ""
    assert found.unseen == "MRI, calcium"


def test_an_undetermined_stage_says_what_it_waits_for() -> None:
    found = summary(document("undetermined"), [], ENGLISH)
    assert found.open_stage == "needs Clonal bone-marrow plasma cells"
    assert found.unseen == ""
    assert "agree within ten points" in found.verdict


def test_active_myeloma_is_said_to_be_no_matter_for_models_and_not_to_lack_a_test() -> None:
    told = document("meets a myeloma-defining event") | {"agreement": []}
    found = summary(told, [], ENGLISH)
    assert found.risk == "–"
    assert "no longer smouldering, so no model here is asked" in found.verdict
    assert "Confirm what the event rests on" in found.next_why


@pytest.mark.parametrize(
    ("risks", "line"),
    [
        # 0.42, 0.44 and 0.51 lie within a tenth; 0.63 is 0.12 above the next.
        (
            (0.51, 0.16, 0.44, 0.9, 0.42, 0.63),
            "3 of 6 models agree within ten points: e, c, a (42–51\xa0%). "
            "The others: b 16\xa0%, f 63\xa0%, d 90\xa0%.",
        ),
        # Two pairs: the closer one is told.
        (
            (0.1, 0.18, 0.5, 0.52),
            "2 of 4 models agree within ten points: c, d (50–52\xa0%). "
            "The others: a 10\xa0%, b 18\xa0%.",
        ),
        ((0.15, 0.19), "the 2 models that answer agree within ten points: a, b (15–19\xa0%)."),
        ((0.1, 0.4), "no two models agree within ten points: a 10\xa0%, b 40\xa0%."),
    ],
)
def test_the_models_that_agree_are_named(risks: tuple[float, ...], line: str) -> None:
    found = agreement_of([Voice(n, r, r) for n, r in zip("abcdef", risks, strict=False)], 2.0)
    row = {
        "horizon_years": 2.0,
        "agree": found.agree,
        "voices": [voice._asdict() for voice in found.voices],
        "apart": [list(pair) for pair in found.apart],
    }
    assert agreement_lines([row], ENGLISH) == [f"Within 2 years {line}"]


def test_a_model_that_leaves_a_range_open_agrees_with_what_lies_in_it() -> None:
    (line,) = agreement_lines(document("SMM", agree=False)["agreement"], ENGLISH)
    assert line.endswith(
        "2 of 3 models agree within ten points: b, c (20–90\xa0%). The others: a 16\xa0%."
    )

from typing import Any

from models.completions import NextTest
from serving.web.summary import summary
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
    assert found.risk == "16–90 %"
    assert found.verdict == "3 models do not agree: a 16 %, b 90 %."
    assert found.next_test == "Clonal bone-marrow plasma cells"
    assert found.next_why == "It would narrow 20/2/20."
    assert found.open_stage == ""
    assert found.unseen == "MRI, calcium"


def test_an_undetermined_stage_says_what_it_waits_for() -> None:
    found = summary(document("undetermined"), [], ENGLISH)
    assert found.open_stage == "needs Clonal bone-marrow plasma cells"
    assert found.unseen == ""
    assert "agree within ten points" in found.verdict

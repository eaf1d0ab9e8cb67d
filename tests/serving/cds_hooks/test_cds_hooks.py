"""CDS Hooks 2.0, from outside: discovery, a chart opened, feedback."""

import copy
import json
from typing import Any

import pytest

from features.analytes import ANALYTES
from serving.cds_hooks.cards import _risk, _to_confirm
from serving.examples import CDS_EXAMPLE, FEEDBACK_EXAMPLE

Body = dict[str, Any]
Client = Any

ROUTE = "/cds-services/smoulder-progression"


@pytest.fixture
def call() -> Body:
    return copy.deepcopy(CDS_EXAMPLE)


@pytest.fixture
def cards(client: Client) -> Any:
    def cards(call: Body) -> list[Body]:
        response = client.post(ROUTE, json=call)
        assert response.status_code == 200, response.text
        found: list[Body] = response.json()["cards"]
        for card in found:
            assert_card(card)
        return found

    return cards


def assert_card(card: Body) -> None:
    """What CDS Hooks 2.0 requires of a card."""
    assert 0 < len(card["summary"]) < 140
    assert card["indicator"] in ("info", "warning", "critical")
    assert card["source"]["label"]
    for link in card["links"]:
        assert link["type"] == "absolute"
        assert link["url"].startswith("http")


def only(call: Body, *codes: str) -> Body:
    """The call with results of some LOINC codes."""
    entries = call["prefetch"]["results"]["entry"]
    call["prefetch"]["results"]["entry"] = [
        entry for entry in entries if any(code in json.dumps(entry) for code in codes)
    ]
    return call


def test_discovery_asks_for_every_code_of_the_catalogue(client: Client) -> None:
    (service,) = client.get("/cds-services").json()["services"]
    assert (service["id"], service["hook"]) == ("smoulder-progression", "patient-view")
    template = service["prefetch"]["results"]
    assert template.startswith("Observation?patient={{context.patientId}}&code=")
    for analyte in ANALYTES.values():
        for code in analyte.loinc:
            assert f"http://loinc.org|{code}" in template
    # Without the second band nobody knows whether the first is the M-protein.
    assert "http://loinc.org|35559-4" in template


def test_a_chart_gets_one_card_with_the_published_risk(cards: Any, call: Body) -> None:
    (card,) = cards(call)
    # 20/2/20, high: 44.2 % at two years (doi:10.1038/s41408-020-00366-3).
    expected = "SMM: 44\xa0% risk of progression within 2 years (Mayo 2018 (20/2/20), high)"
    assert card["summary"] == expected
    assert card["indicator"] == "warning"
    assert "| Mayo 2018 (20/2/20) | high | 2 y: 44\xa0%, 5 y: 82\xa0% |" in card["detail"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"risk": 0.004}, "0.4\xa0%"),
        ({"risk": 0.997}, "> 99\xa0%"),
        ({"risk": None, "lower": 0.004, "upper": 0.997}, "0.4 to > 99\xa0%"),
        ({"risk": None, "lower": 0.179, "upper": None}, ""),
    ],
)
def test_no_risk_on_a_card_is_a_certainty(row: dict[str, float | None], said: str) -> None:
    assert _risk(row) == said


def test_a_demonstration_never_reaches_a_chart(cards: Any, call: Body) -> None:
    (card,) = cards(call)
    assert "Progression from SMM" not in json.dumps(card)


def test_a_champion_of_real_data_is_named_first(
    room: Any, publish: Any, cards: Any, call: Body
) -> None:
    publish(room.models_dir, version="7", cohort_kind="real")
    room.watch.look()
    (card,) = cards(call)
    assert "(Progression from SMM)" in card["summary"]


@pytest.mark.parametrize(("printed", "status"), [("0.9", 200), ("0.90", 422)])
def test_a_chart_is_judged_by_the_digits_that_were_sent(
    client: Client, call: Body, printed: str, status: int
) -> None:
    # 83 umol/L of creatinine are 0.939 mg/dL, which is printed as 0.9 and not as 0.90.
    entries = call["prefetch"]["results"]["entry"]
    molar = next(e for e in reversed(entries) if "2160-0" in json.dumps(e))["resource"]
    molar["valueQuantity"]["value"] = 83
    mass = copy.deepcopy(molar) | {"id": "mass"}
    mass["valueQuantity"] = {"value": "<>", "unit": "mg/dL"}
    entries.append({"resource": mass})
    body = json.dumps(call).replace('"<>"', printed)
    told = client.post(ROUTE, content=body, headers={"content-type": "application/json"})
    assert told.status_code == status, told.text


@pytest.mark.parametrize("codes", [("718-7", "2160-0"), ("36916-5", "33944-0"), ("nothing",)])
def test_a_chart_without_myeloma_tests_shows_nothing(
    cards: Any, call: Body, codes: tuple[str, ...]
) -> None:
    assert cards(only(call, *codes)) == []


@pytest.mark.parametrize("results", [None, {"resourceType": "Bundle", "type": "searchset"}])
def test_a_chart_without_results_shows_nothing(cards: Any, call: Body, results: Any) -> None:
    call["prefetch"]["results"] = results
    assert cards(call) == []


def test_a_defining_criterion_is_told_without_a_risk(cards: Any, call: Body) -> None:
    # Clonal plasma cells of 60 % or more (IMWG 2014, doi:10.1016/S1470-2045(14)70442-5).
    for entry in call["prefetch"]["results"]["entry"]:
        if "11118-7" in json.dumps(entry):
            entry["resource"]["valueQuantity"]["value"] = 62
    (card,) = cards(call)
    assert card["summary"] == "Meets a criterion of myeloma by IMWG 2014; see what to confirm"
    assert card["indicator"] == "warning"


def confirmed(card: Body) -> list[str]:
    """What a card asks to confirm."""
    lines = card["detail"].splitlines()
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]


@pytest.mark.parametrize(
    ("says", "line"),
    [
        ({"deceasedBoolean": True}, "The record says that the person died"),
        ({"active": False}, "The record says that it is not in use"),
        (
            {"link": [{"other": {"reference": "Patient/2"}, "type": "replaced-by"}]},
            "The record says that another one replaces it",
        ),
    ],
)
def test_a_card_says_what_is_doubted_of_the_patient(
    cards: Any, call: Body, says: Body, line: str
) -> None:
    assert confirmed(cards(copy.deepcopy(call))[0]) == []
    call["prefetch"]["patient"].update(says)
    (card,) = cards(call)
    assert confirmed(card) == [line]
    assert "To confirm:" in card["detail"]


def test_a_card_says_what_is_doubted_of_the_results(cards: Any, call: Body) -> None:
    results = call["prefetch"]["results"]
    results["link"] = [{"relation": "next", "url": "http://one.example"}]
    for entry in results["entry"]:
        resource = entry["resource"]
        code = resource["code"]["coding"][0]["code"]
        if code == "33944-0":
            resource["valueQuantity"]["comparator"] = "<"
        elif code == "718-7":
            # g/dL: unusual above 18.5; of both days, and said once.
            resource["valueQuantity"]["value"] = 19
        elif code == "11118-7":
            resource["status"] = "preliminary"
    (card,) = cards(call)
    assert set(confirmed(card)) == {
        "A next page was not read; results may be missing",
        "Lambda free light chain is a bound, not a value; it was left out",
        "Clonal bone-marrow plasma cells is preliminary; confirm it",
        "Haemoglobin is unusual (outside 6-18.5 g/dL); confirm it",
    }


def test_a_card_shows_ten_doubts_and_counts_the_rest() -> None:
    assert _to_confirm([]) == []
    shown = _to_confirm([f"Doubt {i}" for i in range(12)])
    assert shown[:3] == ["To confirm:", "", "- Doubt 0"]
    assert shown[11:] == ["- Doubt 9", "- 2 more", ""]


def test_what_no_card_tells_leaves_no_record(room: Any, cards: Any, call: Body) -> None:
    from serving.audit import verify

    assert len(cards(copy.deepcopy(call))) == 1
    assert verify(room.audit.path.parent).records == 1
    assert cards(only(call, "nothing")) == []
    assert verify(room.audit.path.parent).records == 1


def _without_patient(call: Body) -> None:
    del call["prefetch"]["patient"]


def _without_prefetch(call: Body) -> None:
    del call["prefetch"]


def _null_prefetch(call: Body) -> None:
    call["prefetch"] = None


def _without_results(call: Body) -> None:
    del call["prefetch"]["results"]


FAILURE = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


def _failed_patient(call: Body) -> None:
    call["prefetch"]["patient"] = FAILURE


def _failed_results(call: Body) -> None:
    call["prefetch"]["results"] = FAILURE


def _results_of_one(call: Body) -> None:
    call["prefetch"]["results"] = call["prefetch"]["results"]["entry"][0]["resource"]


def _patient_of_another_kind(call: Body) -> None:
    call["prefetch"]["patient"]["resourceType"] = "Practitioner"


def _another(call: Body) -> None:
    call["context"]["patientId"] = "somebody-else"


def _hook(call: Body) -> None:
    call["hook"] = "order-sign"


def _no_bundle(call: Body) -> None:
    call["prefetch"]["results"] = {"resourceType": "Bundle", "entry": [1]}


def _unit(call: Body) -> None:
    call["prefetch"]["results"]["entry"][0]["resource"]["valueQuantity"]["code"] = "mmol/L"


@pytest.mark.parametrize(
    ("spoil", "status", "fields"),
    [
        (_without_patient, 412, []),
        (_without_prefetch, 412, []),
        (_null_prefetch, 412, []),
        (_without_results, 412, []),
        (_failed_patient, 412, []),
        (_failed_results, 412, []),
        (_results_of_one, 400, ["prefetch.results"]),
        (_patient_of_another_kind, 400, ["prefetch.patient"]),
        (_another, 422, ["prefetch.patient.id"]),
        (_hook, 400, ["hook"]),
        (_no_bundle, 400, ["prefetch.results.entry[0]"]),
        (_unit, 422, ["prefetch.results.entry[0].resource.valueQuantity.code"]),
    ],
)
def test_a_call_that_cannot_be_answered_says_why(
    client: Client, call: Body, spoil: Any, status: int, fields: list[str]
) -> None:
    spoil(call)
    response = client.post(ROUTE, json=call)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in response.json()["errors"]] == fields


def test_links_lead_where_callers_see_the_server(
    cards: Any, call: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMOULDER_PUBLIC_URL", "https://smoulder.hospital.example/")
    (card,) = cards(call)
    assert card["links"][0]["url"] == "https://smoulder.hospital.example/ui/"


def test_feedback_is_counted_and_its_comment_is_not_kept(client: Client) -> None:
    report = copy.deepcopy(FEEDBACK_EXAMPLE["feedback"][0])
    overridden = {
        **report,
        "outcome": "overridden",
        "overrideReason": {"reason": {"code": "known"}, "userComment": "Zaphod knows"},
    }
    foreign = [
        {**overridden, "overrideReason": {"reason": {"code": "Zaphod"}}},
        {**overridden, "overrideReason": {"reason": {"code": "known", "system": "urn:other"}}},
    ]
    agreed = {**overridden, "outcome": "accepted"}
    body = {"feedback": [report, overridden, *foreign, agreed]}
    response = client.post(f"{ROUTE}/feedback", json=body)
    assert (response.status_code, response.json()) == (200, {})
    text = client.get("/metrics").text
    # A reason is one for not following, and ours only by our system.
    counted = {("accepted", "none"): 2, ("overridden", "known"): 1, ("overridden", "other"): 2}
    for (outcome, reason), times in counted.items():
        labels = f'{{outcome="{outcome}",reason="{reason}"}}'
        assert f"smoulder_cds_feedback_total{labels} {times}.0" in text
    assert 'outcome="accepted",reason="known"' not in text
    assert "Zaphod" not in text


@pytest.mark.parametrize("feedback", [[], [{"card": "x"}], [{"outcome": "accepted"}], "x"])
def test_feedback_of_another_shape_is_malformed(client: Client, feedback: Any) -> None:
    assert client.post(f"{ROUTE}/feedback", json={"feedback": feedback}).status_code == 400


@pytest.mark.parametrize("path", ["/cds-services", ROUTE, f"{ROUTE}/feedback"])
def test_a_page_of_another_origin_is_allowed_nothing(client: Client, call: Body, path: str) -> None:
    origin = {"Origin": "https://ehr.example.org"}
    preflight = client.request(
        "OPTIONS", path, headers={**origin, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 405
    answers = {
        "/cds-services": lambda: client.get(path, headers=origin),
        ROUTE: lambda: client.post(path, json=call, headers=origin),
        f"{ROUTE}/feedback": lambda: client.post(path, json=FEEDBACK_EXAMPLE, headers=origin),
    }
    answer = answers[path]()
    assert answer.status_code == 200
    for response in (preflight, answer):
        assert not [name for name in response.headers if name.startswith("access-control")]

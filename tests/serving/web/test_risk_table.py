from collections.abc import Callable
from typing import Any

from serving.web.curve import looks
from serving.web.risk_table import RiskTable, risk_table
from serving.web.texts import Texts, texts

Entry = Callable[..., dict[str, Any]]
ENGLISH, GERMAN = texts("en"), texts("de")


def shown(told: list[dict[str, Any]], t: Texts) -> RiskTable:
    return risk_table(told, looks(told), t)


def test_a_row_has_a_cell_for_every_horizon_of_the_table(entry: Entry) -> None:
    told = [entry("a", 2, 0.442), entry("b", 5, None, lower=0.179, upper=0.442)]
    table = shown(told, ENGLISH)
    assert table.horizons == ("2 years", "5 years")
    (a2, a5), (b2, b5) = (row.cells for row in table.rows)
    assert a2 is not None
    assert (a2.risk, a2.interval) == ("44\xa0%", "")
    assert a5 is b2 is None
    assert b5 is not None
    assert (b5.risk, b5.interval) == ("18–44\xa0%", "open")


def test_a_risk_without_an_interval_says_that_none_is_published(entry: Entry) -> None:
    bare = shown([entry("a", 2, 0.442)], ENGLISH)
    assert any("publish no interval" in note for note in bare.notes)
    with_ends = entry("b", 2, 0.2, lower=0.1, upper=0.3, interval="confidence interval")
    told = shown([with_ends], ENGLISH)
    assert told.notes == (ENGLISH["answer"]["interval"],)


def test_what_open_means_is_said_where_something_is_open(entry: Entry) -> None:
    ends = {"interval": "range over what is missing"}
    without_rate = shown([entry("a", 2, None, **ends)], ENGLISH)
    assert without_rate.notes == ()
    told = shown([entry("a", 2, None, lower=0.1, upper=0.3, **ends)], ENGLISH)
    assert told.notes == (ENGLISH["answer"]["range"],)


def test_models_for_another_disease_are_named_below_the_table(entry: Entry) -> None:
    reason = "for MGUS; staging says SMM"
    refused = {"status": "refused", "risks": [], "reason": reason}
    table = shown([entry("20-2-20", 2, 0.4), entry("mayo-2005-mgus", 20, 0.1) | refused], GERMAN)
    assert [row.name for row in table.rows] == ["20/2/20"]
    assert table.elsewhere == ("Nicht gefragt: Mayo 2005 (für MGUS; das Stadium ist SMM).",)

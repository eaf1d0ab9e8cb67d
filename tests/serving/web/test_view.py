from serving.web.texts import texts
from serving.web.view import risk_table


def test_a_row_has_a_cell_for_every_horizon_of_the_table() -> None:
    def entry(model: str, horizon: float, risk: float | None, **ends: float) -> dict[str, object]:
        row = {"horizon_years": horizon, "risk": risk, "lower": None, "upper": None, **ends}
        return {
            "model": model,
            "status": "ok",
            "risks": [row],
            "missing": [],
            "interval": None,
            "provenance": {},
        }

    table = risk_table(
        [entry("a", 2, 0.442), entry("b", 5, None, lower=0.179, upper=0.442)], texts("en")
    )
    assert table.horizons == ("2 years", "5 years")
    (a2, a5), (b2, b5) = (row.cells for row in table.rows)
    assert a2 is not None
    assert (a2.risk, a2.interval) == ("44 %", "")
    assert a5 is b2 is None
    assert b5 is not None
    assert (b5.risk, b5.interval) == ("", "(18–44 %)")

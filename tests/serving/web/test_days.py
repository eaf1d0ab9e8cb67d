from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.web.days import iso


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14",
        "2026/3/14",
        "14.3.2026",
        "14/03/2026",
        "3/14/2026",
        "14 Mar 2026",
        "14. März 2026",
        "14-MAR-2026",
        "March 14, 2026",
        # As spreadsheets and laboratories hand them over.
        "14.03.26",
        "14. 3. 2026",
        "14-Mar-26",
        "14. Mrz 26",
        "14MAR2026",
        "20260314",
        "14.03.2026 07:45",
        "2026-03-14T07:45:00",
        "2026-03-14 00:00:00",
    ],
)
def test_every_way_to_write_one_day_is_read(text: str) -> None:
    assert iso(text) == "2026-03-14"


@pytest.mark.parametrize(
    "text",
    [
        "03/04/2026",
        "4/3/26",
        "46095",
        "260314",
        "2026-03-14 in the morning",
        "yesterday",
        "2026-02-30",
        "14.13.2026",
        "14 Foo 2026",
        "",
    ],
)
def test_a_day_that_could_be_two_or_none_is_not_read(text: str) -> None:
    assert iso(text) is None


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)))
def test_a_day_written_by_day_month_year_comes_back(day: date) -> None:
    for text in (f"{day:%d.%m.%Y}", f"{day:%Y-%m-%d}", f"{day:%d %B %Y}"):
        assert iso(text) == day.isoformat()
    slashed = iso(f"{day:%d/%m/%Y}")
    assert slashed == (day.isoformat() if day.day > 12 or day.day == day.month else None)

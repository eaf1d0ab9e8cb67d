import math
from typing import Any

import pytest

from features.catalogue import FEATURES
from serving.web.drivers import HALF, MOST, drivers
from serving.web.texts import texts

Json = dict[str, Any]
ENGLISH = texts("en")


def told(*features: tuple[str, float | None, float]) -> list[Json]:
    rows = []
    for feature, value, effect in features:
        row = {"horizon_years": 2.0, "feature": feature, "input": "x", "effect": effect}
        rows.append(row if value is None else row | {"value": value})
    return [{"model": "smm-progression", "label": "SMM progression", "contributions": rows}]


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        ("m_protein_g_dl", 2.4, "Serum M-protein 2.4\xa0g/dL"),
        ("m_protein_slope_per_year", 0.5132, "Serum M-protein: +0.51\xa0g/dL per year"),
        ("hemoglobin_change", -1.0, "Haemoglobin: change −1\xa0g/dL"),
        ("m_protein_evolving", 1.0, "Serum M-protein: evolving"),
        ("m_protein_evolving_as_published", 0.0, "Serum M-protein: not evolving"),
        ("m_protein_evolving_mayo", 1.0, "Serum M-protein: evolving"),
        ("bmpc_years_since", 1.5, "Clonal bone-marrow plasma cells: measured 1.5 years before"),
        ("male", 0.0, "Female sex"),
        ("non_igg", 1.0, "Heavy chain other than IgG"),
        ("age_years", 61.0, "Age (years) 61"),
        # e^3.31 = 27.4
        (
            "ln_flc_ratio_involved",
            math.log(27.4),
            "Involved/uninvolved free-light-chain ratio 27.4",
        ),
        ("albumin_g_dl", None, "Albumin: not measured"),
        ("hemoglobin_slope_per_year", None, "Haemoglobin: course not known"),
        ("uninvolved_flc_mg_l", 11.4, "Uninvolved free light chain 11.4\xa0mg/L"),
    ],
)
def test_a_feature_is_said_in_clinical_words(feature: str, value: float | None, words: str) -> None:
    (found,) = drivers(told((feature, value, 0.5)), ENGLISH)
    assert found.drivers[0].words == words


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("value", [None, 0.0, 1.0])
def test_every_feature_has_words_in_every_language(language: str, value: float | None) -> None:
    for feature in FEATURES:
        (found,) = drivers(told((feature, value, 0.5)), texts(language))
        assert "{" not in found.drivers[0].words
        assert "_" not in found.drivers[0].words
        assert found.drivers[0].words != feature


def test_an_effect_is_a_factor_on_the_odds_and_its_bar_points_its_way() -> None:
    # exp(0.642) = 1.9; the strongest bar is full length, the other half of it.
    (found,) = drivers(told(("male", 1.0, 0.642), ("non_igg", 1.0, -0.321)), ENGLISH)
    up, down = found.drivers
    assert (up.effect, up.x, up.width) == ("raises the odds 1.9-fold", 50.0, HALF)
    assert (down.effect, down.x, down.width) == ("lowers the odds 1.4-fold", 27.0, 23.0)


def test_weak_features_are_counted_and_not_shown() -> None:
    (found,) = drivers(told(*[("male", 1.0, 0.1)] * (MOST + 3)), ENGLISH)
    assert (len(found.drivers), found.rest) == (MOST, 3)


def test_a_model_that_tells_no_contributions_has_no_drivers() -> None:
    assert (
        drivers([{"model": "20-2-20", "label": "x"}, {"model": "a", "contributions": []}], {}) == []
    )


def test_an_effect_that_would_be_told_as_one_fold_is_counted_and_not_shown() -> None:
    # exp(0.04) = 1.04, exp(0.06) = 1.06
    (found,) = drivers(told(("male", 1.0, 0.06), ("non_igg", 1.0, -0.04)), ENGLISH)
    assert [driver.effect for driver in found.drivers] == ["raises the odds 1.1-fold"]
    assert found.rest == 1


def test_a_value_is_told_in_the_unit_it_was_typed_in() -> None:
    told_in = {"m_protein": "g/L"}
    for feature, words in (
        ("m_protein_g_dl", "Serum M-protein 24\xa0g/L"),
        ("m_protein_slope_per_year", "Serum M-protein: +24\xa0g/L per year"),
    ):
        (found,) = drivers(told((feature, 2.4, 0.5)), ENGLISH, told_in)
        assert found.drivers[0].words == words

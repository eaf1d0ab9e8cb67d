"""The catalogue holds every published model under its released identifier."""

import pytest

from features.catalogue import FEATURES
from features.errors import InputError
from models.catalogue import DEFAULT, PUBLISHED, choose

# Released identifiers, as the documentation of the command line lists them.
IDENTIFIERS = {
    "20-2-20",
    "imwg-2020-points",
    "imwg-2020-fish",
    "mayo-2008",
    "mayo-evolving",
    "cmg-serum",
    "penn",
    "pangea-smm",
    "pangea-smm-marrow",
    "pangea-smm-no-marrow",
    "mayo-2005-mgus",
    "mgus-m-protein",
}


def test_released_identifiers_stay():
    assert set(PUBLISHED) == IDENTIFIERS
    assert IDENTIFIERS - set(DEFAULT) == {"pangea-smm-marrow", "pangea-smm-no-marrow"}


@pytest.mark.parametrize("model", PUBLISHED.values(), ids=list(PUBLISHED))
def test_every_model_names_its_source_and_reads_features_that_exist(model):
    assert "doi:10." in model.citation
    assert model.kind == "published"
    assert set(model.required) | set(model.optional) <= set(FEATURES)
    assert list(model.horizons_years) == sorted(model.horizons_years)


def test_models_come_in_the_order_asked_for_and_an_unknown_one_is_named():
    assert [model.name for model in choose(["penn", "20-2-20"])] == ["penn", "20-2-20"]
    with pytest.raises(InputError, match="'mayo-1999' is not one of 20-2-20, "):
        choose(["mayo-1999"])


def test_a_recalled_model_says_so():
    assert "recalled" in PUBLISHED["penn"].caution

"""Rule files: what is carried along, and what a file of one's own must hold."""

import pytest

from features.errors import InputError
from models.trial import TRIALS, load_trial, read_trial

HEAD = 'trial = "T"\nnct = "NCT0"\nversion = "2026-01-01"\ncitation = "none"\n'
RULE = '[[include]]\ntext = "marrow"\nfeature = "bmpc_percent"\nat_least = 10\n'

# Registration numbers as listed on ClinicalTrials.gov.
NCT = {
    "AQUILA": "NCT03301220",
    "DETER-SMM": "NCT03937635",
    "ITHACA": "NCT04270409",
    "E3A06": "NCT01169337",
    "GEM-CESAR": "NCT02415413",
}


@pytest.mark.parametrize("name", TRIALS)
def test_every_trial_carried_along_names_its_registration_date_and_source(name):
    trial = load_trial(name)
    assert (trial.name, trial.nct) == (name, NCT[name])
    assert len(trial.version) == len("2026-01-01")
    assert trial.citation
    assert any(rule.excludes for rule in trial.rules) and not all(r.excludes for r in trial.rules)
    assert load_trial(name.lower()) is not None


def test_a_file_of_ones_own_is_read_like_those_carried_along(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(HEAD + RULE, encoding="utf-8")
    assert [rule.text for rule in load_trial(file).rules] == ["marrow"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trial = ", "T: is not valid TOML"),
        (RULE, "lacks 'trial'"),
        (HEAD, r"holds no \[\[include\]\]"),
        (HEAD + "colour = 1\n" + RULE, "'colour' is not understood"),
        (HEAD + "include = 3\n", "must be written"),
        (HEAD + RULE.replace("text", "txet"), "T, include 1: lacks 'text'"),
        (HEAD + RULE + 'unknown = "maybe"\n', "must be waits or check"),
        (HEAD + RULE.replace("bmpc_percent", "bmpc"), "'feature' must be one of age_years, "),
        (HEAD + RULE.replace("at_least = 10", ""), "needs one of above, at_least"),
        (HEAD + RULE.replace("= 10", '= "10"'), "'at_least' must be a number"),
        (HEAD + RULE.replace("at_least", "atleast"), "'atleast' is not understood beside"),
        (HEAD + RULE + 'heavy_chain = "IgA"\n', "must hold exactly one of feature, "),
        (HEAD + '[[include]]\ntext = "x"\nheavy_chain = "A"\n', "must be one of IgG, IgA"),
        (HEAD + '[[include]]\ntext = "x"\nany = []\n', "'any' must be a list"),
        (HEAD + '[[include]]\ntext = "x"\nof = [{stage = "SMM"}]\n', "'least' must be a number"),
        (HEAD + '[[include]]\ntext = "x"\nany = [{stage = "S"}]\n', "T, include 1, any 1: 'stage'"),
        (HEAD + '[[include]]\ntext = "x"\nmodel = "penn"\ngroup = "top"\n', "one of low, inter"),
        (
            HEAD + '[[include]]\ntext = "x"\nrisen = "x"\nby_fraction = 1\nwithin_years = 1\n',
            "one of m_p",
        ),
        (HEAD + RULE + '[treatment]\ndrug = "d"\n', "T, treatment: needs drug, outcome"),
    ],
)
def test_a_file_that_is_not_of_the_form_is_refused_with_its_place(text, message):
    with pytest.raises(InputError, match=message):
        read_trial(text, source="T")


def test_a_trial_that_is_neither_known_nor_a_file_lists_what_is_known():
    with pytest.raises(InputError, match="must be one of AQUILA, DETER-SMM, ITHACA"):
        load_trial("AQUILLA")

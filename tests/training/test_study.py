"""The study design: read, checked, hashed."""

from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import DesignError, InputError
from training.study import read_study

SHIPPED = Path("training/studies/mgus.toml").read_text(encoding="utf-8")


def _study(tmp_path: Path, old: str, new: str) -> str:
    assert old in SHIPPED
    path = tmp_path / "own.toml"
    path.write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    return str(path)


def test_the_hash_follows_the_design_and_not_the_file(tmp_path: Path) -> None:
    same = read_study(_study(tmp_path, "# One visit per person", "# another comment"))
    other = read_study(_study(tmp_path, "lookback_years = 2.0", "lookback_years = 1.5"))
    assert same.hash == read_study("mgus").hash
    assert other.hash != same.hash


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("label =", "lable =", r"lable: is no key of a study design; is 'label' meant\?"),
        ("least_ipa =", "least_ipaa =", r"gate\.least_ipaa: is no key .* is 'least_ipa' meant\?"),
        ("[folds]", "[folds]\nseed = 1", r"folds\.seed: is no key .* expected one of count, rep"),
        ("low = ", "lo = ", r"search\.spaces\.\w+\.\w+\.lo: is no key .* is 'low' meant\?"),
        ("label =", "# label =", "label: is needed and missing"),
    ],
)
def test_a_misspelt_key_is_named_with_the_one_it_may_mean(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(InputError, match=f"own.toml: is not a study design: {told}"):
        read_study(_study(tmp_path, old, new))


def test_every_part_of_the_design_is_in_the_hash() -> None:
    study = read_study("smm")
    others = [
        replace(study, gate=replace(study.gate, least_slope=0.1)),
        replace(study, folds=replace(study.folds, latest_share=0.2)),
        replace(study, treatment="competing"),
        replace(study, blanking_years=0.25),
        replace(study, anticipated_auc=0.8),
    ]
    assert len({study.hash, *(other.hash for other in others)}) == len(others) + 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"m_protein_g_dl"]\nexpected', '"m_spike"]\nexpected', "not known: m_spike"),
        ("[5.0, 10.0]", "[10.0, 5.0]", "must ascend"),
        ("decision_horizon_years = 10.0", "decision_horizon_years = 3.0", "decision horizon"),
        ('optional = ["male"]', 'optional = ["age_years"]', "twice"),
        ('model = "mgus-m-protein"', 'model = "gut feeling"', "not a published model"),
        (
            'features = ["m_protein_g_dl"]\ncuts',
            'features = ["male"]\ncuts',
            "necessary or expected",
        ),
        ("cuts = [1.5]", "cuts = [1.5, 2.0]", "a cut and a strict for each feature"),
        ("steps = [1]", "steps = []", "steps must ascend within 1-1"),
        ("steps = [1]", "steps = [2]", "steps must ascend within 1-1"),
        ("hemoglobin_g_dl = -1", "hemoglobine = -1", "monotone names a feature"),
        ("landmarks_years = [0.0]", "landmarks_years = [1.0, 0.0]", "landmarks must ascend"),
        ("blanking_years = 0.0", "blanking_years = 5.0", "blanking must end before the first"),
    ],
)
def test_a_design_that_contradicts_itself_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(DesignError, match=said):
        read_study(_study(tmp_path, old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lookback_years = 2.0", "lookback_years = ", "is not TOML"),
        ("lookback_years = 2.0", "", "lookback_years"),
        ("lookback_years = 2.0", "lookback = 2.0", "lookback"),
        ("lookback_years = 2.0", "lookback_years = -2.0", "lookback_years"),
        ("lookback_years = 2.0", "lookback_years = 1990-01-01", "lookback_years"),
        ("[5.0, 10.0]", '["5", "10"]', r"horizons_years\.0"),
        ("[5.0, 10.0]", "[-5.0, 10.0]", r"horizons_years\.0"),
        ("[5.0, 10.0]", "[5.0, inf]", r"horizons_years\.1"),
        ("landmarks_years = [0.0]", "landmarks_years = []", "landmarks_years"),
        ('necessary = ["m_protein_g_dl"]', 'necessary = "m_protein_g_dl"', "necessary"),
        ('population = "mgus"', 'population = "cll"', "population"),
        ('"mgus-progression"', '"../elsewhere"', "registry_name"),
        ("hemoglobin_g_dl = -1", "hemoglobin_g_dl = 5", r"monotone\.hemoglobin_g_dl"),
        ("count = 5", "count = 1", r"folds\.count"),
        ('treatment = "censoring"', "", "treatment"),
        ('treatment = "censoring"', 'treatment = "ignored"', "treatment"),
        ('competing = ["death"]', "competing = []", "competing"),
        ("blanking_years = 0.0", "blanking_years = -0.1", "blanking_years"),
        ("anticipated_auc = 0.65", "anticipated_auc = 0.5", "anticipated_auc"),
        ("repeats = 4", "repeats = 0", r"folds\.repeats"),
        ("[0.05, 0.10]", "[0.05, 1.0]", r"gate\.thresholds\.1"),
        ("[gate]", "[gate]\nleast_auc = 0.6", r"gate\.least_auc"),
    ],
)
def test_a_file_that_is_no_design_is_one_clear_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_study(_study(tmp_path, old, new))
    assert "\n" not in str(caught.value)


def test_a_whole_number_of_years_is_the_same_design(tmp_path: Path) -> None:
    assert read_study(_study(tmp_path, "[5.0, 10.0]", "[5, 10]")).hash == read_study("mgus").hash


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"PAR1"])
def test_a_file_that_is_no_text_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"own\.toml: is not TOML") as caught:
        read_study(str(path))
    assert "\n" not in str(caught.value)


def test_an_unknown_study_lists_those_there_are() -> None:
    with pytest.raises(InputError, match="mgus, smm"):
        read_study("cll")

"""Eligibility by the trials carried along, person by person, with the reason spelled out."""

from itertools import product

import numpy as np
import pytest

from features.landmark import LandmarkFeatures
from models.eligibility import evaluate
from models.trial import TRIALS, load_trial, read_trial

NAN = float("nan")

# A typical candidate: IgG kappa, 25 % plasma cells, everything a routine list holds.
CANDIDATE = {
    "m_protein": 2.4,
    "bmpc": 25.0,
    "kappa_flc": 300.0,
    "lambda_flc": 10.0,
    "flc_ratio_kappa_lambda": 30.0,
    "flc_ratio_involved": 30.0,
    "involved_flc": 300.0,
    "hemoglobin": 12.5,
    "creatinine": 0.9,
    "egfr": 85.0,
    "calcium": 9.5,
    "lytic_lesions": 0.0,
    "mri_focal_lesions": 0.0,
    "igg": 2600.0,
    "iga": 60.0,
    "igm": 30.0,
}


def judged(landmarks, trial, *, heavy_chain="IgG", age=60.0, **changes):
    features = landmarks(heavy_chain=heavy_chain, age=age, **{**CANDIDATE, **changes})
    found = evaluate(load_trial(trial), features)
    return found.status_at(0), found.reason_at(0), found.to_check_at(0)


@pytest.mark.parametrize("trial", ["AQUILA", "DETER-SMM", "ITHACA", "E3A06"])
def test_the_typical_candidate_is_eligible_and_only_bedside_items_are_left(landmarks, trial):
    status, reason, left = judged(landmarks, trial)
    assert (status, reason) == ("eligible", "")
    assert left in ("", "ECOG performance status", "neutrophils and platelets, amyloidosis")


@pytest.mark.parametrize(
    ("trial", "changes", "reason"),
    [
        ("AQUILA", {"bmpc": 60.0}, "a myeloma-defining event (SLiM)"),
        ("AQUILA", {"flc_ratio_involved": 100.0}, "a myeloma-defining event (SLiM)"),
        ("AQUILA", {"mri_focal_lesions": 2.0}, "a myeloma-defining event (SLiM)"),
        ("AQUILA", {"m_protein": 1.0, "bmpc": 9.0}, "not bone-marrow plasma cells >= 10 %"),
        (
            "AQUILA",
            {"m_protein": 0.9, "involved_flc": 99.0, "urine_m_protein": 199.0},
            "not measurable disease",
        ),
        # No high-risk feature: M < 3, IgG, one isotype low, ratio below 8, 25 % plasma cells.
        ("AQUILA", {"flc_ratio_involved": 7.9, "igm": 90.0}, "not at least one high-risk feature"),
        (
            "DETER-SMM",
            {"bmpc": 20.0, "m_protein": 1.9}
            | dict.fromkeys(("fish_t_4_14", "fish_del_17p", "fish_del_13q", "fish_gain_1q"), 0.0),
            "not at least two high-risk factors",
        ),
        ("ITHACA", {"egfr": 39.0}, "eGFR < 40"),
        ("E3A06", {"flc_ratio_kappa_lambda": 1.65}, "not kappa/lambda < 0.26 or > 1.65"),
        ("GEM-CESAR", {"age": 70.0}, "not younger than 70 years"),
        # Mayo 2008 high needs M >= 3 and the uninvolved isotypes are normal: no PETHEMA either.
        ("GEM-CESAR", {"iga": 90.0, "igm": 90.0}, "not two-year risk above 50 %"),
    ],
)
def test_an_exclusion_names_its_rule(landmarks, trial, changes, reason):
    status, found, _ = judged(landmarks, trial, **changes)
    assert status == "excluded"
    assert reason in found


@pytest.mark.parametrize(
    ("trial", "changes", "until"),
    [
        ("AQUILA", {"bmpc": NAN, "m_protein": 2.4}, "bmpc"),
        ("ITHACA", {"creatinine": NAN, "egfr": NAN}, "creatinine, age, sex"),
        ("E3A06", {"flc_ratio_kappa_lambda": NAN, "flc_ratio_involved": NAN}, "kappa_flc"),
        # A threshold of organ damage is met: the cause decides, and nobody has said it.
        ("AQUILA", {"hemoglobin": 9.5}, "cause of anemia"),
        ("E3A06", {"creatinine": 2.4}, "cause of renal_insufficiency"),
        # Two isotypes low, Mayo 2008 not high: flow cytometry would tell.
        ("GEM-CESAR", {}, "aberrant plasma cells by flow cytometry"),
        ("DETER-SMM", {"bmpc": 20.0, "m_protein": 1.9}, "fish_t_4_14, fish_del_17p"),
    ],
)
def test_what_is_not_known_waits_and_names_what_would_settle_it(landmarks, trial, changes, until):
    status, reason, _ = judged(landmarks, trial, **changes)
    assert status == "unknown"
    assert reason.startswith("unknown until: ")
    assert until in reason


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        # Each alternative of AQUILA's list alone suffices; beside it the candidate has none.
        ({"m_protein": 3.0}, "eligible"),
        ({"m_protein": float(np.nextafter(3.0, 0))}, "excluded"),
        ({"heavy_chain": "IgA", "igg": 900.0, "iga": 2000.0}, "eligible"),
        ({"igm": 30.0}, "eligible"),
        ({"igm": NAN}, "unknown"),
        ({"flc_ratio_involved": 8.0}, "eligible"),
        ({"flc_ratio_involved": 7.9}, "excluded"),
        ({"bmpc": 50.0}, "excluded"),
        ({"bmpc": float(np.nextafter(50.0, 60))}, "eligible"),
    ],
)
def test_one_high_risk_feature_of_aquila_is_enough(landmarks, changes, status):
    plain = {"flc_ratio_involved": 5.0, "igm": 90.0}
    assert judged(landmarks, "AQUILA", **{**plain, **changes})[0] == status


def test_time_since_diagnosis_counts(landmarks):
    features = landmarks(heavy_chain="IgG", age=60.0, **CANDIDATE)
    at = [(t, "eligible" if t <= 1 else "excluded") for t in (0.0, 1.0, 1.01)]
    for years, status in at:
        later = LandmarkFeatures(features.history, np.array([0]), np.array([years]))
        assert evaluate(load_trial("DETER-SMM"), later).status_at(0) == status


def test_unmeasured_imaging_is_left_to_check_and_does_not_hold_up_a_list(landmarks):
    status, _, left = judged(landmarks, "AQUILA", mri_focal_lesions=NAN, lytic_lesions=NAN)
    assert status == "eligible"
    assert left == "ECOG performance status, mri_focal_lesions, lytic_lesions"


def test_counting_of_conditions_is_that_of_every_completion(landmarks):
    # At least two of three, by going through everything the unknown ones could be.
    text = (
        'trial = "T"\nnct = "N"\nversion = "V"\ncitation = "C"\n'
        '[[include]]\ntext = "x"\nleast = 2\n'
        'of = [{feature = "m_protein_g_dl", above = 1}, {feature = "bmpc_percent", above = 1}, '
        '{feature = "calcium_mg_dl", above = 1}]\n'
    )
    rows = list(product((NAN, 0.0, 2.0), repeat=3))
    m_protein, bmpc, calcium = map(np.array, zip(*rows, strict=True))
    found = evaluate(
        read_trial(text, source="T"), landmarks(m_protein=m_protein, bmpc=bmpc, calcium=calcium)
    )
    for i, row in enumerate(rows):
        open_ = [(0, 1) if np.isnan(value) else (int(value > 1),) for value in row]
        outcomes = {sum(each) >= 2 for each in product(*open_)}
        expected = (
            {True: "eligible", False: "excluded"}.get(*outcomes)
            if len(outcomes) == 1
            else "unknown"
        )
        assert found.status_at(i) == expected, row


@pytest.mark.parametrize("trial", TRIALS)
def test_one_person_alone_is_judged_as_among_many(landmarks, trial):
    rng = np.random.default_rng(3)
    labs = {
        name: np.where(rng.random(80) < 0.3, NAN, value * rng.lognormal(0, 0.7, 80))
        for name, value in CANDIDATE.items()
    }
    features = landmarks(heavy_chain="IgA", age=65.0, **labs)
    together = evaluate(load_trial(trial), features)
    assert len(set(together.status.tolist())) > 1
    for i in range(80):
        at = LandmarkFeatures(features.history, np.array([i]), np.array([0.0]))
        alone = evaluate(load_trial(trial), at)
        assert alone.status_at(0) == together.status_at(i)
        assert alone.reason_at(0) == together.reason_at(i)
        assert alone.to_check_at(0) == together.to_check_at(i)

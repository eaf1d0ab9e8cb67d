"""Laws of the diagnosis by IMWG 2014; thresholds are those of the paper's panels 1 and 2."""

from itertools import product

import numpy as np
import pytest

from features.criteria import MET, NOT_MET, STAGES, UNKNOWN, stage
from features.landmark import LandmarkFeatures

EVENT = "meets a myeloma-defining event"


def below(value):
    return float(np.nextafter(value, -np.inf))


def over(value):
    return float(np.nextafter(value, np.inf))


@pytest.mark.parametrize(
    ("criterion", "quantity", "not_met", "met"),
    [
        ("plasma_cells_60", "bmpc", below(60), 60.0),
        ("plasma_cells_10", "bmpc", below(10), 10.0),
        ("mri_lesions", "mri_focal_lesions", 1.0, 2.0),
        ("hypercalcemia", "calcium", 11.0, over(11)),
        # 2.75 mmol/L and 177 umol/L are the published limits in SI units: not above themselves.
        ("hypercalcemia", "calcium", 2.75 * 4.008, over(2.75 * 4.008)),
        ("renal_insufficiency", "creatinine", 2.0, over(2)),
        ("renal_insufficiency", "creatinine", 177 / 88.42, over(177 / 88.42)),
        ("anemia", "hemoglobin", 10.0, below(10)),
        ("bone_lesions", "lytic_lesions", 0.0, 1.0),
        ("m_protein_30", "m_protein", below(3), 3.0),
        ("urine_m_protein_500", "urine_m_protein", below(500), 500.0),
    ],
)
def test_a_criterion_turns_exactly_at_its_threshold(landmarks, criterion, quantity, not_met, met):
    staging = stage(landmarks(**{quantity: [not_met, met, np.nan]}))
    assert staging.states[criterion].tolist() == [NOT_MET, MET, UNKNOWN]


@pytest.mark.parametrize(
    ("ratio", "involved", "expected"),
    [
        (100.0, 100.0, MET),
        (below(100), 100.0, NOT_MET),
        (100.0, below(100), NOT_MET),
        (100.0, np.nan, UNKNOWN),
        (np.nan, 100.0, UNKNOWN),
        # Either factor below its limit settles it whatever the other is.
        (99.0, np.nan, NOT_MET),
        (np.nan, 99.0, NOT_MET),
    ],
)
def test_the_light_chain_event_needs_ratio_and_amount(landmarks, ratio, involved, expected):
    staging = stage(landmarks(flc_ratio_involved=ratio, involved_flc=involved))
    assert staging.states["flc_ratio_100"][0] == expected


def test_the_laboratorys_own_limits_count_where_given(landmarks):
    # 2.0 below the lower limit is not more than 2.0; 13.3 - 11.3 exceeds 2 in binary only.
    staging = stage(landmarks(hemoglobin=[11.3, 11.2, 11.2], hemoglobin_lln=[13.3, 13.3, np.nan]))
    assert staging.states["anemia"].tolist() == [NOT_MET, MET, NOT_MET]
    staging = stage(landmarks(calcium=[10.9, 11.0, 11.0], calcium_uln=[9.9, 9.9, np.nan]))
    assert staging.states["hypercalcemia"].tolist() == [NOT_MET, MET, NOT_MET]


def test_a_low_clearance_is_enough_and_an_unknown_one_leaves_creatinine_to_decide(landmarks):
    staging = stage(landmarks(creatinine=[1.4, 1.4, 1.4], egfr=[39.9, 40.0, np.nan]))
    assert staging.states["renal_insufficiency"].tolist() == [MET, NOT_MET, NOT_MET]


def test_calcium_is_corrected_by_an_albumin_of_the_same_day_only(landmarks):
    features = landmarks(calcium=[10.5, 10.5], calcium_corrected=[11.3, np.nan])
    assert stage(features).states["hypercalcemia"].tolist() == [MET, NOT_MET]
    old = LandmarkFeatures(features.history, np.array([0]), np.array([0.0]))
    assert stage(old).states["hypercalcemia"].tolist() == [MET]


@pytest.mark.parametrize(
    ("labs", "expected"),
    [
        ({"m_protein": 1.2, "bmpc": 5.0}, "MGUS"),
        # 30 g/L exactly is SMM, and so is one ulp of 10 % plasma cells.
        ({"m_protein": 3.0, "bmpc": 5.0}, "SMM"),
        ({"m_protein": below(3), "bmpc": below(10)}, "MGUS"),
        ({"m_protein": 1.2, "bmpc": 10.0}, "SMM"),
        ({"bmpc": 15.0}, "SMM"),
        ({"m_protein": 3.2}, "SMM"),
        ({"m_protein": 1.2, "bmpc": 5.0, "urine_m_protein": 500.0}, "SMM"),
        # Without the marrow 1.2 g/dL may be either; without the M-protein so may 5 %.
        ({"m_protein": 1.2}, "undetermined"),
        ({"bmpc": 5.0}, "undetermined"),
        ({"hemoglobin": 13.0}, "undetermined"),
        ({"m_protein": 1.2, "bmpc": 60.0}, EVENT),
        ({"m_protein": 2.0, "bmpc": 20.0, "hemoglobin": 9.9}, EVENT),
        ({"bmpc": 12.0, "flc_ratio_involved": 120.0, "involved_flc": 600.0}, EVENT),
        # Below 10 % plasma cells no event defines myeloma, and without a marrow nobody knows.
        ({"m_protein": 1.2, "bmpc": 5.0, "hemoglobin": 9.0}, "MGUS"),
        ({"m_protein": 3.5, "hemoglobin": 9.0}, "undetermined"),
    ],
)
def test_stage_follows_the_definition(landmarks, labs, expected):
    assert stage(landmarks(**labs)).stage_at(0) == expected


def test_organ_damage_is_to_confirm_and_never_among_the_criteria_met(landmarks):
    features = landmarks(
        m_protein=2.0, bmpc=20.0, hemoglobin=9.0, calcium=12.0, creatinine=3.0, lytic_lesions=2
    )
    staging = stage(features)
    damage = ["hypercalcemia", "renal_insufficiency", "anemia", "bone_lesions"]
    assert staging.to_confirm_at(0) == damage
    assert staging.met_at(0) == ["plasma_cells_10"]
    assert "confirm the cause" in staging.reason_at(0)


def test_nothing_missing_counts_as_normal(landmarks):
    staging = stage(landmarks(m_protein=1.0, bmpc=5.0))
    assert staging.unknown_at(0) == [
        "flc_ratio_100",
        "mri_lesions",
        "hypercalcemia",
        "renal_insufficiency",
        "anemia",
        "bone_lesions",
        "urine_m_protein_500",
    ]
    assert "not looked for: flc_ratio_100, mri_lesions" in staging.reason_at(0)


def test_values_behind_a_criterion_are_shown_in_canonical_units(landmarks):
    staging = stage(landmarks(m_protein=[3.1, 2.0], bmpc=[np.nan, 60.0]))
    assert staging.values_at("m_protein_30", 0) == {"m_protein": 3.1}
    assert staging.values_at("plasma_cells_60", 0) == {}
    assert staging.values_at("plasma_cells_60", 1) == {"bmpc": 60.0}


def test_reasons_name_no_patient_value(landmarks):
    staging = stage(landmarks(m_protein=3.141, bmpc=27.182, hemoglobin=9.271))
    assert not any(value in staging.reason_at(0) for value in ("3.141", "27.182", "9.271"))


@pytest.mark.parametrize(
    ("heavy_chain", "labs", "expected"),
    [
        # kappa/lambda 50/10 = 5 > 1.65 with kappa > 19.4 mg/L: light-chain MGUS below 10 %.
        ("none", {"kappa_flc": 50.0, "lambda_flc": 10.0, "bmpc": 5.0}, "MGUS"),
        ("none", {"kappa_flc": 10.0, "lambda_flc": 90.0, "bmpc": 5.0}, "MGUS"),
        ("none", {"kappa_flc": 50.0, "lambda_flc": 10.0, "bmpc": 15.0}, "SMM"),
        (
            "none",
            {"kappa_flc": 50.0, "lambda_flc": 10.0, "bmpc": 5.0, "urine_m_protein": 600.0},
            "SMM",
        ),
        # Ratio 1.5 is normal: no clone is shown; ratio 2 with kappa 18 mg/L is not a raised chain.
        ("none", {"kappa_flc": 15.0, "lambda_flc": 10.0, "bmpc": 5.0}, "undetermined"),
        ("none", {"kappa_flc": 18.0, "lambda_flc": 9.0, "bmpc": 5.0}, "undetermined"),
        ("none", {"bmpc": 5.0}, "undetermined"),
        # Untyped, and a serum without M-protein: the light chains are the evidence.
        (None, {"m_protein": 0.0, "kappa_flc": 50.0, "lambda_flc": 10.0, "bmpc": 5.0}, "MGUS"),
        (None, {"m_protein": 0.0, "kappa_flc": 12.0, "lambda_flc": 10.0, "bmpc": 5.0}, STAGES[0]),
        (None, {"m_protein": 0.0, "bmpc": 5.0}, "undetermined"),
        ("IgG", {"m_protein": 0.0, "bmpc": 5.0}, "MGUS"),
        # A heavy chain without a measured M-protein is not light-chain disease.
        ("IgG", {"kappa_flc": 50.0, "lambda_flc": 10.0, "bmpc": 5.0}, "undetermined"),
    ],
)
def test_light_chain_disease_is_staged_by_its_own_evidence(landmarks, heavy_chain, labs, expected):
    if "kappa_flc" in labs:
        labs = {**labs, "flc_ratio_kappa_lambda": labs["kappa_flc"] / labs["lambda_flc"]}
    assert stage(landmarks(heavy_chain=heavy_chain, **labs)).stage_at(0) == expected


def test_igm_disease_is_out_of_scope_whatever_its_values(landmarks):
    staging = stage(landmarks(heavy_chain="IgM", m_protein=3.5, bmpc=70.0))
    assert staging.stage_at(0) == "undetermined"
    assert "out of scope" in staging.reason_at(0)


def test_one_landmark_alone_is_staged_as_among_many(landmarks):
    grid = product((np.nan, 9.0, 12.0), (np.nan, 5.0, 20.0, 70.0), (np.nan, 0.0, 1.0, 3.5))
    hemoglobin, bmpc, m_protein = map(np.array, zip(*grid, strict=True))
    features = landmarks(hemoglobin=hemoglobin, bmpc=bmpc, m_protein=m_protein)
    together = stage(features)
    reasons, which = together.reasons()
    for i in range(len(features)):
        alone = stage(LandmarkFeatures(features.history, np.array([i]), np.array([0.0])))
        assert alone.stage_at(0) == together.stage_at(i)
        assert alone.reason_at(0) == together.reason_at(i) == reasons[which[i]]
        assert alone.unknown_at(0) == together.unknown_at(i)

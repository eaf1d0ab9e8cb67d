"""PANGEA-SMM: time-varying Cox models with and without bone marrow.

Chabrun F et al., Nat Med 2026, doi:10.1038/s41591-026-04304-x. All constants are those of the
authors' repository pangea-study/pangea_2.0 (MIT licence), carried in ``pangea_smm.json``:
risk(t) = 1 - S0(t)^exp(lp), lp = sum of coefficient x (value - centre).

The evolving flags are computed as published, with plain binary differences. Two faults of the
authors' calculator are not repeated: nothing missing counts as zero, and look-backs are measured by
dates. The interval is the delta-method one of the linear predictor from the published covariance;
the baseline's own uncertainty was not published, so it is too narrow by that part.
"""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from features.landmark import LandmarkFeatures
from models.reference import REFERENCE
from models.risk import OK, PARTIAL, REFUSED, Estimates

__all__ = ["PANGEA_SMM", "PANGEA_SMM_MARROW", "PANGEA_SMM_NO_MARROW", "PangeaSmm", "PangeaVariant"]

Bools = NDArray[np.bool_]
_Cell = TypeVar("_Cell", bound=np.generic)

CITATION = "Chabrun F, Nat Med 2026, doi:10.1038/s41591-026-04304-x"
HORIZONS_YEARS = (1.0, 2.0, 5.0, 10.0)
Z_95 = 1.959963984540054
"""97.5th percentile of the standard normal distribution."""

FEATURE_OF_TERM = {
    "mspike": "m_protein_g_dl",
    "log_iuratio": "ln_flc_ratio_involved",
    "plasmacells": "bmpc_percent",
    "log_creatinine": "ln_creatinine_mg_dl",
    "age": "age_years",
    "hgb_traj": "hemoglobin_evolving_as_published",
    "iuratio_traj": "flc_ratio_involved_evolving_as_published",
    "mspike_traj": "m_protein_evolving_as_published",
    "creatinine_traj": "creatinine_evolving_as_published",
}
INPUT_OF_TERM = {
    "mspike": "m_protein",
    "log_iuratio": "flc_ratio_involved",
    "plasmacells": "bmpc",
    "log_creatinine": "creatinine",
    "age": "age",
    "hgb_traj": "hemoglobin",
    "iuratio_traj": "flc_ratio_involved",
    "mspike_traj": "m_protein",
    "creatinine_traj": "creatinine",
}

FLAGS = ("hgb_traj", "iuratio_traj", "mspike_traj", "creatinine_traj")


def _plausible() -> dict[str, tuple[float, float]]:
    ends = dict.fromkeys(FLAGS, (0.0, 1.0))
    for term in ("mspike", "plasmacells"):
        quantiles = REFERENCE[FEATURE_OF_TERM[term]]
        ends[term] = quantiles[0], quantiles[-1]
    for term in ("log_iuratio", "log_creatinine"):
        quantiles = REFERENCE[FEATURE_OF_TERM[term].removeprefix("ln_")]
        ends[term] = float(np.log(quantiles[0])), float(np.log(quantiles[-1]))
    return ends


PLAUSIBLE = _plausible()
"""What a missing value could plausibly be: the 5th to 95th percentile of each laboratory value in
the reference patients. A flag that cannot be computed may be up or down. Age has no range: without
it there is no answer."""


@dataclass(frozen=True, slots=True)
class PangeaVariant:
    """One of the two published Cox models.

    Parameters
    ----------
    name, label
        Identifier and name.
    terms : tuple of p strings
        In the order of the coefficients.
    coefficients, centres : (p,) arrays
        Log hazard ratios and covariate centres.
    covariance : (p, p) array
        Of the coefficients.
    baseline_survival : (4,) array
        S0 at 1, 2, 5 and 10 years.
    """

    name: str
    label: str
    terms: tuple[str, ...]
    coefficients: Floats
    centres: Floats
    covariance: Floats
    baseline_survival: Floats
    version: str = "2026"
    citation: str = CITATION
    population: Literal["smm", "mgus"] = "smm"
    kind: Literal["published", "learned"] = "published"
    horizons_years: tuple[float, ...] = HORIZONS_YEARS

    @property
    def required(self) -> tuple[str, ...]:
        """Features without which the answer is a range."""
        return tuple(FEATURE_OF_TERM[term] for term in self.terms)

    @property
    def optional(self) -> tuple[str, ...]:
        """None: earlier visits sharpen the flags, their absence is an answer too."""
        return ()

    def estimate(self, features: LandmarkFeatures) -> Estimates:
        """Risk of progression at 1, 2, 5 and 10 years at every landmark."""
        return self.answer(features.matrix(self.required))

    def answer(self, values: Floats) -> Estimates:
        """The same from the (k, p) values of the terms, NaN where not known."""
        absent = np.isnan(values)
        partial = np.asarray(absent.any(axis=1))
        predictors = self._predictors(values, partial)
        risk, lower, upper = 1.0 - self.baseline_survival ** np.exp(predictors)[..., None]
        lacks, refused = self._lacking(absent, partial)
        if partial.any():
            risk[partial], lower[refused], upper[refused] = np.nan, np.nan, np.nan
        return Estimates(
            horizons_years=self.horizons_years,
            status=_STATUS[partial.astype(np.int8) + refused],
            risk=risk,
            lower=lower,
            upper=upper,
            missing=lacks,
            ranges="confidence interval",
        )

    def _lacking(self, absent: Bools, partial: Bools) -> tuple[dict[str, Bools], Bools]:
        """Which inputs lack, and whether that leaves no answer: no age, or nothing else."""
        inputs = [INPUT_OF_TERM[term] for term in self.terms]
        if not partial.any():
            return dict.fromkeys(inputs, partial), partial
        lacks: dict[str, Bools] = {}
        for name, column in zip(inputs, absent.T, strict=True):
            lacks[name] = lacks[name] | column if name in lacks else column
        nothing = np.logical_and.reduce([lacks[name] for name in lacks if name != "age"])
        return lacks, lacks["age"] | nothing

    def _predictors(self, values: Floats, partial: Bools) -> list[Floats]:
        """Linear predictor, and its ends: of the interval, or of the range where values lack."""
        deviation = values - self.centres
        # Unlike a matrix product, einsum sums a row the same way alone and among others.
        predictor = np.einsum("ij,j->i", deviation, self.coefficients)
        variance = np.einsum("ij,jk,ik->i", deviation, self.covariance, deviation)
        margin = Z_95 * np.sqrt(np.maximum(variance, 0.0))
        low, high = predictor - margin, predictor + margin
        if partial.any():
            low[partial], high[partial] = self._extremes(values[partial])
        return [predictor, low, high]

    def _extremes(self, values: Floats) -> tuple[Floats, Floats]:
        """Linear predictor with every missing value at its least and most harmful plausible end."""
        ends = np.array([PLAUSIBLE.get(term, (np.nan, np.nan)) for term in self.terms])
        # Every coefficient is positive, so the lower end of each value is the less harmful one.
        least, most = (np.where(np.isnan(values), end, values) for end in ends.T)
        low, high = (
            np.einsum("ij,j->i", end - self.centres, self.coefficients) for end in (least, most)
        )
        return low, high


_STATUS = np.array([OK, PARTIAL, REFUSED], dtype=np.int8)


@dataclass(frozen=True, slots=True)
class PangeaSmm:
    """PANGEA-SMM as a clinic uses it: with marrow where there is one, else without."""

    marrow: PangeaVariant
    no_marrow: PangeaVariant
    name: str = "pangea-smm"
    label: str = "PANGEA-SMM"
    version: str = "2026"
    citation: str = CITATION
    population: Literal["smm", "mgus"] = "smm"
    kind: Literal["published", "learned"] = "published"
    horizons_years: tuple[float, ...] = HORIZONS_YEARS

    @property
    def required(self) -> tuple[str, ...]:
        """Features of the variant without marrow."""
        return self.no_marrow.required

    @property
    def optional(self) -> tuple[str, ...]:
        """Bone-marrow plasma cells choose the variant."""
        return ("bmpc_percent",)

    def estimate(self, features: LandmarkFeatures) -> Estimates:
        """Risk at every landmark, by the variant that its inputs allow."""
        has_marrow = ~np.isnan(features["bmpc_percent"])
        if has_marrow.all():
            return self.marrow.estimate(features)
        if not has_marrow.any():
            return self.no_marrow.estimate(features)
        with_ = self.marrow.answer(features.matrix(self.marrow.required, has_marrow))
        without = self.no_marrow.answer(features.matrix(self.no_marrow.required, ~has_marrow))
        return Estimates(
            horizons_years=self.horizons_years,
            status=_merged(has_marrow, with_.status, without.status),
            risk=_merged(has_marrow, with_.risk, without.risk),
            lower=_merged(has_marrow, with_.lower, without.lower),
            upper=_merged(has_marrow, with_.upper, without.upper),
            missing={
                name: _merged(has_marrow, with_.missing[name], lacks)
                for name, lacks in without.missing.items()
            },
            ranges="confidence interval",
        )


def _merged(rows: Bools, here: NDArray[_Cell], elsewhere: NDArray[_Cell]) -> NDArray[_Cell]:
    """Values of the rows chosen and of the others, each where it stands among all."""
    merged = np.empty((rows.size, *here.shape[1:]), dtype=here.dtype)
    merged[rows], merged[~rows] = here, elsewhere
    return merged


def _variant(key: str, name: str) -> PangeaVariant:
    text = resources.files("models.published").joinpath("pangea_smm.json").read_text("utf-8")
    published = json.loads(text)[key]
    terms = tuple(published["term_order"])
    return PangeaVariant(
        name=name,
        label=published["label"],
        terms=terms,
        coefficients=np.array([published["coefficients"][term] for term in terms]),
        centres=np.array([published["centers"][term] for term in terms], dtype=np.float64),
        covariance=np.array(published["vcov"]),
        baseline_survival=np.array(
            [published["baseline_survival_at"][f"{t:.0f}"] for t in HORIZONS_YEARS]
        ),
    )


PANGEA_SMM_MARROW = _variant("marrow", "pangea-smm-marrow")
PANGEA_SMM_NO_MARROW = _variant("no_marrow", "pangea-smm-no-marrow")
PANGEA_SMM = PangeaSmm(PANGEA_SMM_MARROW, PANGEA_SMM_NO_MARROW)

"""The latent clone: its levels at diagnosis, and how it grows – stable, slow or evolving."""

from dataclasses import dataclass

import numpy as np

from training.simulation.arrays import Floats, Ints, Rng, at_normal_score
from training.simulation.law import Growth, Scenario
from training.simulation.subjects import HEAVY_CHAINS, Subjects

__all__ = ["EVOLVING", "GROWTH", "SLOW", "STABLE", "Clone", "draw_clone"]

STABLE, SLOW, EVOLVING = 0, 1, 2
GROWTH = ("stable", "slow", "evolving")
NEVER = 1e9
MOST_M_PROTEIN_G_DL = 6.5
"""Above it hyperviscosity ends watchful waiting long since."""


@dataclass(frozen=True, slots=True)
class Clone:
    """One clone per subject; every level at a later time follows from its expansion.

    Parameters
    ----------
    growth : (n,) array
        ``STABLE``, ``SLOW`` or ``EVOLVING``.
    onset_years : (n,) array
        When growth starts; beyond any follow-up for stable clones.
    rate : (n,) array
        Ln-fold per year at the onset.
    m_protein_g_dl, flc_ratio, uninvolved_flc_mg_l, bmpc_percent : (n,) arrays
        True levels at diagnosis.
    law
        Exponents and ceiling of growth.
    """

    growth: Ints
    onset_years: Floats
    rate: Floats
    m_protein_g_dl: Floats
    flc_ratio: Floats
    uninvolved_flc_mg_l: Floats
    bmpc_percent: Floats
    law: Growth

    def expansion(self, years: Floats, subject: Ints) -> Floats:
        """Ln-fold change of the clone since diagnosis, saturating at the ceiling."""
        grown = np.maximum(years - self.onset_years[subject], 0.0) * self.rate[subject]
        return -self.law.ceiling_ln * np.expm1(-grown / self.law.ceiling_ln)

    def growth_rate(self, years: Floats, subject: Ints) -> Floats:
        """Present growth, ln-fold per year."""
        since = years - self.onset_years[subject]
        rate = self.rate[subject]
        slowing = np.exp(-np.maximum(since, 0.0) * rate / self.law.ceiling_ln)
        return np.where(since >= 0, rate * slowing, 0.0)

    def m_protein_at(self, expansion: Floats, subject: Ints) -> Floats:
        """True serum M-protein, g/dL."""
        grown = self.m_protein_g_dl[subject] * np.exp(self.law.m_protein_exponent * expansion)
        return np.minimum(grown, MOST_M_PROTEIN_G_DL)

    def ln_flc_ratio_at(self, expansion: Floats, subject: Ints) -> Floats:
        """Logarithm of the true involved/uninvolved FLC ratio at average renal function."""
        opening = self.law.involved_flc_exponent - self.law.uninvolved_flc_exponent
        return np.log(self.flc_ratio[subject]) + opening * expansion

    def uninvolved_flc_at(self, expansion: Floats, subject: Ints) -> Floats:
        """True uninvolved FLC at average renal function, mg/L."""
        suppressed = np.exp(self.law.uninvolved_flc_exponent * expansion)
        return self.uninvolved_flc_mg_l[subject] * suppressed

    def bmpc_at(self, expansion: Floats, subject: Ints) -> Floats:
        """True clonal bone-marrow plasma cells, %; growth acts on the odds."""
        share = self.bmpc_percent[subject] / 100
        odds = share / (1 - share) * np.exp(self.law.bmpc_exponent * expansion)
        return 100 * odds / (1 + odds)


def draw_clone(scenario: Scenario, subjects: Subjects, rng: Rng) -> Clone:
    """Clone of every subject at diagnosis, with its course."""
    growth, onset, rate = _course(scenario, subjects, rng)
    levels, loadings = scenario.levels, scenario.loadings
    knots = levels.normal_scores

    def score(clone: float, secretion: float, shift: float) -> Floats:
        own: Floats = np.sqrt(1 - clone**2 - secretion**2) * rng.normal(size=subjects.clone.size)
        drawn: Floats = clone * subjects.clone + secretion * subjects.secretion + own + shift
        return drawn

    m_score = score(loadings.clone_m_protein, loadings.secretion_m_protein, levels.shift_m_protein)
    ratio_score = score(
        loadings.clone_flc_ratio, loadings.secretion_flc_ratio, levels.shift_flc_ratio
    )
    uninvolved_score = score(loadings.clone_uninvolved_flc, loadings.secretion_uninvolved_flc, 0.0)
    bmpc_score = score(loadings.clone_bmpc, 0.0, levels.shift_bmpc)
    m_protein = np.maximum(at_normal_score(m_score, knots, levels.m_protein_g_dl, "linear"), 0.0)
    heavy = subjects.heavy_chain != HEAVY_CHAINS.index("none")
    return Clone(
        growth=growth,
        onset_years=onset,
        rate=rate,
        m_protein_g_dl=np.where(heavy, m_protein, 0.0),
        flc_ratio=np.minimum(
            at_normal_score(ratio_score, knots, levels.flc_ratio, "log"), levels.most_flc_ratio
        ),
        uninvolved_flc_mg_l=at_normal_score(
            uninvolved_score, knots, levels.uninvolved_flc_mg_l, "log"
        ),
        bmpc_percent=np.minimum(
            at_normal_score(bmpc_score, knots, levels.bmpc_percent, "linear"),
            levels.most_bmpc_percent,
        ),
        law=scenario.growth,
    )


def _course(scenario: Scenario, subjects: Subjects, rng: Rng) -> tuple[Ints, Floats, Floats]:
    """Growth class, onset and rate; larger clones are more often evolving."""
    law, n = scenario.growth, subjects.clone.size
    evolving_odds = law.share_evolving / max(1 - law.share_evolving, 1e-9)
    odds = evolving_odds * np.exp(law.evolving_per_clone * subjects.clone)
    evolving_share = odds / (1 + odds)
    slow_share = law.share_slow / max(1 - law.share_evolving, 1e-9)
    evolving = rng.random(n) < evolving_share
    slow = ~evolving & (rng.random(n) < slow_share)
    growth = np.where(evolving, EVOLVING, np.where(slow, SLOW, STABLE)).astype(np.int64)
    already = rng.random(n) < law.evolving_at_diagnosis
    later = rng.exponential(law.onset_mean_years, n)
    onset = np.where(evolving & ~already, later, np.where(growth == STABLE, NEVER, 0.0))
    fast = law.evolving_rate * np.exp(law.evolving_rate_sd * rng.normal(size=n))
    mild = law.slow_rate * np.exp(law.slow_rate_sd * rng.normal(size=n))
    return growth, onset, np.where(evolving, fast, np.where(slow, mild, 0.0))

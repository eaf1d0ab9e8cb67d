"""Which models answer at one moment: the published ones and the learned ones loaded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from features.analytes import ANALYTES
from features.catalogue import FEATURES
from models.catalogue import DEFAULT, PUBLISHED, choose
from models.risk import RiskModel
from serving.values import Json

__all__ = [
    "CHALLENGER",
    "DEMONSTRATION",
    "NOTHING_LEARNED",
    "Card",
    "Lineup",
    "inputs_of",
    "provenance",
]

CHALLENGER = "challenger"
"""Role of a version that answers beside its champion, under ``NAME@challenger``, when asked for."""

DEMONSTRATION = (
    "Demonstration: trained on a simulated cohort; its risks are not evidence about any patient."
)


@dataclass(frozen=True, slots=True)
class Card:
    """What the registry says about a learned model.

    Parameters
    ----------
    role
        ``champion`` or ``challenger``.
    study_hash
        Of the study design it was fitted under.
    cohort_kind
        ``real`` or ``simulated``.
    run_id
        Of the training run.
    provenance
        As the artefact tells it.
    published
        Seconds since 1970-01-01 when this version was published; 0 when that is not known.
    """

    role: str
    study_hash: str
    cohort_kind: str
    run_id: str
    provenance: Json = field(default_factory=dict)
    published: float = 0.0


@dataclass(frozen=True)
class Lineup:
    """Models that answer, swapped as a whole.

    Parameters
    ----------
    learned
        Learned models by registry name.
    cards
        Their cards.
    faults
        Why a published directory does not answer, or answers with its last good version, by name.
    """

    learned: Mapping[str, RiskModel]
    cards: Mapping[str, Card]
    faults: Mapping[str, str]

    def choose(self, names: Iterable[str] | None) -> list[RiskModel]:
        """Models asked for; None gives champions and default published ones."""
        return list(self._usual) if names is None else choose(names, self.learned)

    @cached_property
    def _usual(self) -> tuple[RiskModel, ...]:
        return tuple(choose((*self.champions, *DEFAULT), self.learned))

    @cached_property
    def champions(self) -> tuple[str, ...]:
        """Learned models that answer without being asked for."""
        return tuple(n for n in self.learned if self.cards[n].role != CHALLENGER)

    @cached_property
    def known(self) -> tuple[str, ...]:
        """Identifiers of all models, those of the default answer first."""
        return tuple(dict.fromkeys((*self.learned, *DEFAULT, *PUBLISHED)))

    def describe(self, name: str) -> Json:
        """One entry of ``GET /v1/models``."""
        model = self.learned.get(name) or PUBLISHED[name]
        card = self.cards.get(name)
        return {
            "model": model.name,
            "label": model.label,
            "version": model.version,
            "kind": model.kind,
            **({"role": card.role} if card else {}),
            "population": model.population,
            "horizons_years": list(model.horizons_years),
            "answers": "always" if name in (*self.champions, *DEFAULT) else "on request",
            "required": inputs_of(model.required),
            "optional": inputs_of(model.optional),
            "provenance": provenance(model, card),
        }


NOTHING_LEARNED = Lineup(MappingProxyType({}), MappingProxyType({}), MappingProxyType({}))


def provenance(model: RiskModel, card: Card | None) -> Json:
    """Where a model comes from; a simulated cohort is named as such."""
    told: Json = {"citation": model.citation}
    if card is not None:
        told |= {
            "study_hash": card.study_hash,
            "cohort_kind": card.cohort_kind,
            "run_id": card.run_id,
            "artefact": card.provenance,
        }
        if card.cohort_kind == "simulated":
            told["notice"] = DEMONSTRATION
    return told


def inputs_of(names: Iterable[str]) -> list[str]:
    """What a caller gives to have features: analytes and subject fields, without repeats.

    Examples
    --------
    >>> inputs_of(["m_protein_g_dl", "flc_ratio_involved", "age_years"])
    ['m_protein', 'flc_ratio_involved', 'age']
    """
    given: dict[str, None] = {}
    for name in names:
        feature = FEATURES.get(name)
        if name in ANALYTES or feature is None:
            given[name] = None
        else:
            given.update(dict.fromkeys(feature.needs))
    return list(given)

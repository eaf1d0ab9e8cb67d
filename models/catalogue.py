"""Every model by its identifier, published and learned alike."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from features.errors import InputError
from models.published.cmg_serum import CMG_SERUM
from models.published.imwg_2020_fish import IMWG_2020_FISH
from models.published.imwg_2020_points import IMWG_2020_POINTS
from models.published.mayo_2005_mgus import MAYO_2005_MGUS
from models.published.mayo_2008 import MAYO_2008
from models.published.mayo_evolving import MAYO_EVOLVING
from models.published.mgus_m_protein import MGUS_M_PROTEIN
from models.published.pangea_smm import PANGEA_SMM, PANGEA_SMM_MARROW, PANGEA_SMM_NO_MARROW
from models.published.penn import PENN
from models.published.twenty_two_twenty import TWENTY_TWO_TWENTY
from models.risk import RiskModel

__all__ = ["DEFAULT", "PUBLISHED", "choose"]

_ALL: tuple[RiskModel, ...] = (
    TWENTY_TWO_TWENTY,
    IMWG_2020_POINTS,
    IMWG_2020_FISH,
    MAYO_2008,
    MAYO_EVOLVING,
    CMG_SERUM,
    PENN,
    PANGEA_SMM,
    PANGEA_SMM_MARROW,
    PANGEA_SMM_NO_MARROW,
    MAYO_2005_MGUS,
    MGUS_M_PROTEIN,
)

PUBLISHED: Mapping[str, RiskModel] = MappingProxyType({model.name: model for model in _ALL})
"""Published models by identifier."""

_ON_REQUEST = {"pangea-smm-marrow", "pangea-smm-no-marrow"}

DEFAULT = tuple(name for name in PUBLISHED if name not in _ON_REQUEST)
"""Published models that answer unless others are asked for."""


def choose(
    names: Iterable[str] | None = None, learned: Mapping[str, RiskModel] = MappingProxyType({})
) -> list[RiskModel]:
    """Models by identifier, in the order asked for.

    Parameters
    ----------
    names
        Identifiers; None for every published default and every learned model.
    learned
        Registered models by registry name.

    Raises
    ------
    InputError
        For an identifier that no model has.

    Examples
    --------
    >>> [model.name for model in choose(["20-2-20"])]
    ['20-2-20']
    """
    known = {**PUBLISHED, **learned}
    if names is None:
        names = (*learned, *DEFAULT)
    chosen = []
    for name in names:
        if name not in known:
            raise InputError("models", f"'{name[:40]}' is not one of {', '.join(known)}")
        chosen.append(known[name])
    return chosen

"""The analyte catalogue: every routine test Smoulder understands.

Readers, validators, the HTTP schema, the web form and the documentation are all read from here, so
a test, a unit or a range is declared once. Values are held in the canonical unit everywhere inside;
columns of tables carry it in their name (`m_protein_g_dl`).

Codes were checked against LOINC's check digit. 33944-8 and 33945-5 circulate as free-light-chain
codes and fail it; 1995-0 is ionised calcium and never mixed with total calcium. Ranges: outside
`error` a value is impossible and refused, outside `warn` it is unusual and wants confirming.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

__all__ = ["ANALYTES", "FLAGS", "LIMITS", "Analyte", "analyte_for_loinc", "column_name"]

Kind = Literal["lab", "flag", "limit"]

INTERNATIONAL_UNITS = "UCUM, https://ucum.org; molar masses: IUPAC 2021, doi:10.1515/pac-2019-0603"
KATZMANN = "Katzmann JA, Clin Chem 2002;48:1437, doi:10.1093/clinchem/48.9.1437"
IMWG_2014 = "Rajkumar SV, Lancet Oncol 2014;15:e538, doi:10.1016/S1470-2045(14)70442-5"


@dataclass(frozen=True, slots=True)
class Analyte:
    """One routine test: what it is called, coded, measured in, and can be.

    Parameters
    ----------
    name
        The catalogue's name, as in the JSON request: ``m_protein``.
    label
        The name a clinician reads.
    unit
        Canonical UCUM unit; ``1`` for a dimensionless quantity.
    error
        Lowest and highest possible value in the canonical unit; outside is refused.
    units
        Accepted unit to the factor that gives the canonical unit, the canonical one first.
    warn
        Lowest and highest usual value; a missing end is None.
    loinc
        LOINC codes of this quantity; the unit is always read from the message, never from the code.
    kind
        ``lab`` for a measured value, ``flag`` for imaging and cytogenetics (0, 1 or a count),
        ``limit`` for the reporting laboratory's own reference limit.
    citation
        Where unit factor and ranges come from.
    """

    name: str
    label: str
    unit: str
    error: tuple[float, float]
    units: Mapping[str, float] = field(default_factory=dict)
    warn: tuple[float | None, float | None] = (None, None)
    loinc: tuple[str, ...] = ()
    kind: Kind = "lab"
    citation: str = INTERNATIONAL_UNITS

    def __post_init__(self) -> None:
        units = {self.unit: 1.0, **self.units}
        object.__setattr__(self, "units", MappingProxyType(units))

    @property
    def column(self) -> str:
        """The column that holds this analyte in its canonical unit: ``m_protein_g_dl``."""
        return column_name(self.name, self.unit)


def column_name(name: str, unit: str) -> str:
    """Name of the table column for an analyte in a unit.

    Examples
    --------
    >>> column_name("kappa_flc", "mg/L"), column_name("bmpc", "%")
    ('kappa_flc_mg_l', 'bmpc_percent')
    >>> column_name("urine_m_protein", "mg/(24.h)"), column_name("flc_ratio_involved", "1")
    ('urine_m_protein_mg_24h', 'flc_ratio_involved')
    """
    if unit == "1":
        return name
    spelled = {"%": "percent", "mg/(24.h)": "mg_24h", "g/(24.h)": "g_24h"}
    return f"{name}_{spelled.get(unit, unit.lower().replace('/', '_'))}"


def _immunoglobulin(isotype: str, loinc: str) -> Analyte:
    return Analyte(
        name=isotype.lower(),
        label=f"Immunoglobulin {isotype[-1]} ({isotype})",
        unit="mg/dL",
        units={"g/L": 100.0, "mg/L": 0.1, "g/dL": 1000.0},
        error=(1, 15_000),
        loinc=(loinc,),
    )


def _flag(name: str, label: str, most: float = 1) -> Analyte:
    return Analyte(name=name, label=label, unit="1", error=(0, most), kind="flag")


def _lower_limit(analyte: Analyte) -> Analyte:
    return Analyte(
        name=f"{analyte.name}_lln",
        label=f"{analyte.label}, laboratory's lower limit of normal",
        unit=analyte.unit,
        units=analyte.units,
        error=analyte.error,
        kind="limit",
    )


_LABS = (
    Analyte(
        name="m_protein",
        label="Serum M-protein",
        unit="g/dL",
        units={"g/L": 0.1, "mg/dL": 0.001},
        error=(0, 10),
        warn=(None, 6),
        loinc=("33358-3", "51435-6"),
    ),
    Analyte(
        name="urine_m_protein",
        label="Urine M-protein",
        unit="mg/(24.h)",
        units={"mg/24h": 1.0, "mg/d": 1.0, "g/(24.h)": 1000.0, "g/24h": 1000.0, "g/d": 1000.0},
        error=(0, 50_000),
        loinc=("42482-0",),
    ),
    Analyte(
        name="kappa_flc",
        label="Kappa free light chain",
        unit="mg/L",
        units={"mg/dL": 10.0, "g/L": 1000.0},
        error=(0.1, 100_000),
        warn=(0.5, 10_000),
        loinc=("36916-5", "80515-0"),
        citation=KATZMANN,
    ),
    Analyte(
        name="lambda_flc",
        label="Lambda free light chain",
        unit="mg/L",
        units={"mg/dL": 10.0, "g/L": 1000.0},
        error=(0.1, 100_000),
        warn=(0.5, 10_000),
        loinc=("33944-0", "80516-8"),
        citation=KATZMANN,
    ),
    Analyte(
        name="flc_ratio_involved",
        label="Involved/uninvolved free-light-chain ratio",
        unit="1",
        error=(0.0001, 100_000),
        warn=(0.1, 5_000),
        citation=IMWG_2014,
    ),
    Analyte(
        name="flc_ratio_kappa_lambda",
        label="Kappa/lambda free-light-chain ratio",
        unit="1",
        error=(0.0001, 10_000),
        warn=(0.1, 500),
        loinc=("48378-4", "80517-6", "104546-7"),
        citation=KATZMANN,
    ),
    Analyte(
        name="bmpc",
        label="Clonal bone-marrow plasma cells",
        unit="%",
        units={"fraction": 100.0},
        error=(0, 100),
        warn=(None, 60),
        loinc=("11118-7",),
        citation=IMWG_2014,
    ),
    Analyte(
        name="hemoglobin",
        label="Haemoglobin",
        unit="g/dL",
        # mmol/L of haem iron: 16 114 g/mol for one haem-carrying quarter of the tetramer.
        units={"g/L": 0.1, "mmol/L": 1.6114},
        error=(3, 22),
        warn=(6, 18.5),
        loinc=("718-7", "20509-6"),
    ),
    Analyte(
        name="creatinine",
        label="Creatinine",
        unit="mg/dL",
        units={"umol/L": 1 / 88.42, "mmol/L": 1000 / 88.42},
        error=(0.1, 20),
        warn=(0.4, 5),
        loinc=("2160-0", "14682-9"),
    ),
    Analyte(
        name="calcium",
        label="Calcium (total)",
        unit="mg/dL",
        units={"mmol/L": 4.008},
        error=(4, 20),
        warn=(7, 13),
        loinc=("17861-6", "2000-8"),
    ),
    Analyte(
        name="albumin",
        label="Albumin",
        unit="g/dL",
        units={"g/L": 0.1},
        error=(0.5, 7),
        warn=(2, 5.5),
        loinc=("1751-7",),
    ),
    Analyte(
        name="ldh",
        label="Lactate dehydrogenase (LDH)",
        unit="U/L",
        units={"ukat/L": 60.0},
        error=(20, 10_000),
        warn=(None, 1_000),
        loinc=("2532-0",),
    ),
    Analyte(
        name="b2m",
        label="Beta-2 microglobulin",
        unit="mg/L",
        units={"ug/mL": 1.0},
        error=(0.2, 100),
        warn=(None, 20),
        loinc=("1952-1",),
    ),
    _immunoglobulin("IgG", "2465-3"),
    _immunoglobulin("IgA", "2458-8"),
    _immunoglobulin("IgM", "2472-9"),
)

_FLAGS = (
    _flag("lytic_lesions", "Osteolytic lesions (number)", most=100),
    _flag("mri_focal_lesions", "Focal MRI lesions of 5 mm or more (number)", most=100),
    _flag("fish_t_4_14", "FISH t(4;14)"),
    _flag("fish_t_14_16", "FISH t(14;16)"),
    _flag("fish_del_17p", "FISH del(17p)"),
    _flag("fish_gain_1q", "FISH gain of 1q"),
    _flag("fish_del_13q", "FISH del(13q) or monosomy 13"),
)

_BY_NAME = {analyte.name: analyte for analyte in _LABS}
_LIMITS = (
    *(_lower_limit(_BY_NAME[name]) for name in ("igg", "iga", "igm", "hemoglobin")),
    Analyte(
        name="calcium_uln",
        label="Calcium (total), laboratory's upper limit of normal",
        unit="mg/dL",
        units=_BY_NAME["calcium"].units,
        error=_BY_NAME["calcium"].error,
        kind="limit",
    ),
)

ANALYTES: Mapping[str, Analyte] = MappingProxyType(
    {analyte.name: analyte for analyte in (*_LABS, *_FLAGS, *_LIMITS)}
)
"""Every analyte by its catalogue name."""

FLAGS = tuple(analyte.name for analyte in _FLAGS)
"""Names of the imaging and cytogenetic findings."""

LIMITS = tuple(analyte.name for analyte in _LIMITS)
"""Names of the laboratory's own reference limits."""

_BY_LOINC = {code: analyte for analyte in ANALYTES.values() for code in analyte.loinc}


def analyte_for_loinc(code: str) -> Analyte | None:
    """Analyte that a LOINC code reports, or None for a code outside the catalogue.

    Examples
    --------
    >>> analyte_for_loinc("33358-3").name
    'm_protein'
    >>> analyte_for_loinc("33944-8") is None  # fails LOINC's check digit
    True
    """
    return _BY_LOINC.get(code)

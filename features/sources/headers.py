"""What the columns of somebody's spreadsheet may be: catalogue columns guessed from their names.

A guess is shown to whoever brings the file and confirmed, never used unseen. A unit is read from
the name or left open: ``Creatinine (umol/L)`` is one column of the catalogue, ``Krea`` may be
three.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from features.analytes import ANALYTES, column_name
from features.sources.csv import LAB_COLUMNS
from features.sources.long import LONG_COLUMNS
from features.sources.reading import SUBJECT_COLUMNS
from features.sources.table import normal_name

__all__ = ["COLUMNS", "guess_columns"]

COLUMNS: tuple[str, ...] = (*SUBJECT_COLUMNS, *LAB_COLUMNS, *LONG_COLUMNS)
"""Every column that a table of visits may have, wide or long."""

RATIOS = ("flc_ratio_involved", "flc_ratio_kappa_lambda")

SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "subject_id": "subject, patient, patient id, pat id, pat nr, patientennummer, pid, mrn, id,"
        " participant id, case id, record id, study id, usubjid, fallnummer",
        "date": "visit date, date of visit, lab date, sample date, collection date, datum,"
        " entnahmedatum, befunddatum",
        "years": "tstart, years since diagnosis, time years",
        "age": "age years, age at visit, alter",
        "birth_year": "year of birth, yob, geburtsjahr",
        "sex": "gender, geschlecht",
        "heavy_chain": "isotype, ig type, heavy chain isotype, m protein type, schwerkette",
        "light_chain": "light chain type, involved light chain, light chain isotype, leichtkette",
        "diagnosis_date": "date of diagnosis, dx date, diag date, diagnosedatum, erstdiagnose",
        "analyte": "test, test name, parameter, analyt, component",
        "loinc": "loinc code",
        "value": "result, numeric result, wert, ergebnis",
        "unit": "units, einheit",
        "m_protein": "m spike, m component, m peak, m gradient, m komponente, paraprotein, spep,"
        " monoclonal protein, serum m protein, serum m spike, serum paraprotein, m protein serum",
        "urine_m_protein": "urine m spike, upep, bence jones, bence jones protein,"
        " 24h urine m protein, urine paraprotein, m protein urine",
        "kappa_flc": "kappa, flc kappa, free kappa, k flc, s flc kappa, free kappa light chains,"
        " kappa free light chains, serum free kappa, kappa leichtketten, freie kappa leichtketten,"
        " freie kappa, freie leichtketten kappa",
        "lambda_flc": "lambda, flc lambda, free lambda, l flc, s flc lambda,"
        " free lambda light chains, lambda free light chains, serum free lambda,"
        " lambda leichtketten, freie lambda leichtketten, freie lambda, freie leichtketten lambda",
        "flc_ratio_involved": "iu ratio, involved uninvolved ratio, involved flc ratio,"
        " involved uninvolved flc ratio, iu flc ratio",
        "flc_ratio_kappa_lambda": "kappa lambda ratio, kl ratio, ratio kappa lambda,"
        " kappa lambda flc ratio, kappa lambda quotient",
        "bmpc": "plasma cells, bm plasma cells, bone marrow plasma cells, marrow plasma cells,"
        " clonal plasma cells, bmpcs, plasmazellen, km plasmazellen",
        "hemoglobin": "hb, hgb, haemoglobin, hamoglobin",
        "creatinine": "crea, creat, krea, kreatinin, serum creatinine, scr",
        "calcium": "ca, total calcium, serum calcium, kalzium",
        "albumin": "alb, serum albumin",
        "ldh": "lactate dehydrogenase, laktatdehydrogenase",
        "b2m": "beta 2 microglobulin, b2 microglobulin, b2mg, beta 2 m, beta 2 mikroglobulin",
        "igg": "immunoglobulin g, serum igg, total igg",
        "iga": "immunoglobulin a, serum iga, total iga",
        "igm": "immunoglobulin m, serum igm, total igm",
        "lytic_lesions": "osteolytic lesions, osteolysen",
        "mri_focal_lesions": "focal lesions, mri lesions",
        "fish_t_4_14": "t(4;14)",
        "fish_t_14_16": "t(14;16)",
        "fish_del_17p": "del(17p), 17p del, deletion 17p",
        "fish_gain_1q": "gain 1q, gain(1q), 1q gain, amp(1q), 1q21 gain",
        "fish_del_13q": "del(13q), 13q del, deletion 13q, monosomy 13",
    }
)
"""Catalogue name to what laboratories and study files call it, in English and German."""

# A report that says "FLC ratio" may mean either; which one decides between risk groups.
AMBIGUOUS = dict.fromkeys(("flcratio", "freelightchainratio", "sflcratio", "flcquotient"), RATIOS)

SIGNS = {"κ": "kappa", "λ": "lambda", "β": "beta", "ß": "beta", "%": "percent"}

UNIT_SPELLINGS = {"%": ("percent", "pct", "prozent"), "umol/L": ("umoll", "micromoll")}


def guess_columns(header: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What each column of a header may be: one catalogue column, several to choose from, or none.

    A catalogue column is proposed once; a later column of the same meaning is left open.

    Examples
    --------
    >>> found = guess_columns(["MRN", "Visit date", "M-Spike [g/L]", "Krea", "Ward"])
    >>> found["MRN"], found["Visit date"], found["M-Spike [g/L]"], found["Ward"]
    (('subject_id',), ('date',), ('m_protein_g_l',), ())
    >>> found["Krea"]
    ('creatinine_mg_dl', 'creatinine_umol_l', 'creatinine_mmol_l')
    """
    header = tuple(header)
    exact = {name for name in map(normal_name, header) if name in COLUMNS}
    taken: set[str] = set()
    guesses: dict[str, tuple[str, ...]] = {}
    for name in header:
        plain = normal_name(name)
        found = (plain,) if plain in exact else _candidates(name)
        if plain not in exact and exact.intersection(found):
            found = ()
        if len(found) == 1:
            found = () if found[0] in taken else found
            taken.update(found)
        guesses[name] = found
    return guesses


def _candidates(name: str) -> tuple[str, ...]:
    """Catalogue columns that a name may mean."""
    letters = _letters(name)
    for spelled, unit in _UNITS:
        bare = letters.removesuffix(spelled) if unit else letters
        if bare == letters and unit:
            continue
        known = _NAMES.get(bare) or _NAMES.get(bare.removesuffix("in"))
        if known is None:
            continue
        if known not in ANALYTES:
            return (known,) if not unit else ()
        units = ANALYTES[known].units
        if not unit:
            return tuple(dict.fromkeys(column_name(known, each) for each in units))
        if unit in units:
            return (column_name(known, unit),)
    return AMBIGUOUS.get(letters, ())


def _letters(name: str) -> str:
    """Letters and digits of a name in lower case, without accents; Greek letters by their names."""
    text = normal_name(name).replace("µ", "u").replace("μ", "u")
    for sign, word in SIGNS.items():
        text = text.replace(sign, word)
    folded = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^a-z0-9]", "", folded)


_NAMES: Mapping[str, str] = MappingProxyType(
    {
        _letters(spelled): name
        for name in (*SUBJECT_COLUMNS, *LONG_COLUMNS, *ANALYTES)
        for spelled in (name, *SYNONYMS.get(name, "").split(","))
        if spelled
    }
)

_UNITS: tuple[tuple[str, str], ...] = (
    *sorted(
        {
            (spelled, unit)
            for analyte in ANALYTES.values()
            for unit in analyte.units
            if unit != "1"
            for spelled in (_letters(unit), *UNIT_SPELLINGS.get(unit, ()))
        },
        key=lambda pair: (-len(pair[0]), pair),
    ),
    ("", ""),
)
"""Unit as it ends a name, longest first; at last no unit."""

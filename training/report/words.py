"""Numbers and judgements in words."""

from training.judgement import ContrastRow, Performance
from training.metrics.estimate import Estimate

NOT_ESTIMABLE = "not estimable"


def percent(value: float, digits: int = 1) -> str:
    """A share as a percentage."""
    return f"{100 * value:.{digits}f} %"


def decimal(estimate: Estimate, digits: int = 3) -> str:
    """An estimate with its interval, or why there is none."""
    if estimate.value is None:
        return f"{NOT_ESTIMABLE}: {estimate.reason}"
    text = f"{estimate.value:.{digits}f}"
    if estimate.lower is None or estimate.upper is None:
        return text
    return f"{text} ({estimate.lower:.{digits}f} to {estimate.upper:.{digits}f})"


def share(estimate: Estimate, digits: int = 1) -> str:
    """An estimate as a percentage with its interval, or why there is none."""
    if estimate.value is None:
        return f"{NOT_ESTIMABLE}: {estimate.reason}"
    text = f"{100 * estimate.value:.{digits}f}"
    if estimate.lower is None or estimate.upper is None:
        return f"{text} %"
    return f"{text} % ({100 * estimate.lower:.{digits}f} to {100 * estimate.upper:.{digits}f})"


def p_value(p: float | None) -> str:
    """A p-value as it is printed."""
    if p is None:
        return "–"
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def in_years(horizon_years: float) -> str:
    """A horizon as it is said."""
    return f"{horizon_years:g} {'year' if horizon_years == 1 else 'years'}"


def counted(n: int, people: int, named: str = "people") -> str:
    """How many people, or at how many landmarks of how many."""
    return f"{n:,} {named}" if n == people else f"{n:,} landmarks of {people:,} {named}"


def summary(row: Performance) -> str:
    """What a clinician needs to know of one model at one horizon, in a paragraph."""
    years = in_years(row.horizon_years)
    observed, expected = share(row.observed), percent(row.predicted)
    of = "of" if row.n == row.people else "at"
    said = f"{row.model}, {years}: {of} {counted(row.n, row.people)}, {observed} progressed within "
    said += years
    said += f"; the model expected {expected}, {_agreement(row.oe)}. "
    said += _ranking(row.auc)
    return said + _usefulness(row)


def compared(row: ContrastRow) -> str:
    """One contrast as a sentence."""
    delta = row.delta_auc.delta
    pair = f"{row.model} against {row.reference} at {in_years(row.horizon_years)}"
    if delta.value is None:
        return f"{pair}: {NOT_ESTIMABLE}, {delta.reason}."
    if delta.lower is None or delta.upper is None or row.delta_auc.p is None:
        return f"{pair}: no difference that could be tested."
    if delta.lower <= 0 <= delta.upper:
        return f"{pair}: no difference in ranking is shown ({decimal(delta)} in AUC)."
    better = row.model if delta.value > 0 else row.reference
    return f"{pair}: {better} ranks better ({decimal(delta)} in AUC)."


def _agreement(ratio: Estimate) -> str:
    if ratio.value is None or ratio.lower is None or ratio.upper is None:
        return f"and whether that agrees is {NOT_ESTIMABLE}"
    if ratio.lower <= 1 <= ratio.upper:
        return f"which agrees within chance (observed/expected {decimal(ratio, 2)})"
    direction = "too little" if ratio.value > 1 else "too much"
    return f"which is {direction} (observed/expected {decimal(ratio, 2)})"


def _ranking(found: Estimate) -> str:
    if found.value is None:
        return f"How well it ranks people is {NOT_ESTIMABLE}: {found.reason}. "
    times = round(100 * found.value)
    return (
        f"Given one person who progressed and one who did not, it gave the higher risk to the "
        f"right one {times} times in 100 (AUC {decimal(found, 2)}). "
    )


def _usefulness(row: Performance) -> str:
    rows = "people" if row.n == row.people else "landmarks"
    parts = [
        f"acting at {percent(float(threshold), 0)} {_worth(benefit, benefit.value, rows)}"
        for threshold, benefit in row.net_benefit.items()
        if benefit.value is not None
    ]
    return ("In net benefit, " + "; ".join(parts) + ".") if parts else ""


def _worth(benefit: Estimate, value: float, rows: str) -> str:
    if value <= 0:
        return "does not pay"
    if benefit.lower is not None and benefit.lower <= 0:
        return f"is not shown to pay ({decimal(benefit)})"
    per_thousand = 1000 * value
    found = f"{per_thousand:.{0 if per_thousand >= 1 else 1}f}"
    named = "progression" if found == "1" else "progressions"
    return f"is worth {found} {named} found per 1,000 {rows}, with nobody treated needlessly"

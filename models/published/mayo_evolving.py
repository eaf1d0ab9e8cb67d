"""Mayo evolving: plasma cells >= 20 %, an evolving M-protein, an evolving haemoglobin.

Ravi P et al., Blood Cancer J 2016;6:e454, doi:10.1038/bcj.2016.65 (n = 190). Evolving M-protein: a
rise of >= 10 % within 6 months, if it was >= 3 g/dL, or of >= 25 % within 12 months, and in both
cases of >= 0.5 g/dL. Evolving haemoglobin: a fall of >= 0.5 g/dL within 12 months. The source
counted from diagnosis; at a later landmark the look-back ends there. One measurement alone cannot
show a course: without an earlier one the marker is unknown.

With all three factors 90.5 % progressed within two years; for fewer the source gives medians to
progression (12.3, 5.1 and 2.0 years for 0, 1 and 2), which are no two-year risks.
"""

from features.cuts import at_least, state
from models.published.points import Band, Marker, PointScore, cut_marker

__all__ = ["MAYO_EVOLVING"]


def _course(quantity: str, input_: str, criterion: str) -> Marker:
    flag = f"{quantity}_evolving_mayo"
    return Marker(
        name=f"{quantity}_earlier",
        inputs={input_: quantity},
        points=(0, 1),
        state=lambda at: state(at[flag], _EVOLVED),
        criterion=criterion,
    )


_EVOLVED = at_least(1.0)

MAYO_EVOLVING = PointScore(
    name="mayo-evolving",
    label="Mayo evolving",
    version="2016",
    citation="Ravi P, Blood Cancer J 2016;6:e454, doi:10.1038/bcj.2016.65",
    population="smm",
    markers=(
        cut_marker(
            "bmpc", "bmpc_percent", at_least(20.0), (0, 1), "bone-marrow plasma cells >= 20 %"
        ),
        _course(
            "m_protein",
            "m_protein_g_dl",
            "M-protein risen by >= 10 % in 6 months (from >= 3 g/dL) or >= 25 % in 12 months, "
            "and by >= 0.5 g/dL",
        ),
        _course("hemoglobin", "hemoglobin_g_dl", "haemoglobin fallen by >= 0.5 g/dL in 12 months"),
    ),
    bands=(
        Band("no factor", 0, 0, {}),
        Band("one factor", 1, 1, {}),
        Band("two factors", 2, 2, {}),
        Band("high", 3, 3, {2.0: 0.905}),
    ),
    horizons_years=(2.0,),
)

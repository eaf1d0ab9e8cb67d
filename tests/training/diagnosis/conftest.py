"""One check of one design on one cohort."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from training.cohorts import Cohort
from training.diagnosis import CHECKS, Finding
from training.diagnosis.evidence import Evidence
from training.enrolment import enrol
from training.landmarks import landmark_rows
from training.study import Study

Look = Callable[[str, Cohort, Study], Finding]
Drawn = Callable[..., Cohort]


@pytest.fixture(scope="session")
def look() -> Look:
    """What a check finds."""

    def look(check: str, cohort: Cohort, study: Study) -> Finding:
        people = enrol(cohort, study)
        found = CHECKS[check](Evidence.of(people, landmark_rows(people, study), study))
        assert found.check == check
        return found

    return look


@pytest.fixture(scope="session")
def drawn() -> Drawn:
    """A cohort of single visits at diagnosis with everything that 20/2/20 needs, no two alike."""

    def drawn(duration: list[float], event: list[int], **labs: list[float]) -> Cohort:
        count = len(duration)
        ids = [f"s{i}" for i in range(count)]
        visits = pd.DataFrame({"subject_id": ids, "years": 0.0, "age": 60.0})
        usual = {
            "m_protein_g_dl": np.linspace(1.0, 2.5, count),
            "flc_ratio_involved": np.linspace(8.0, 30.0, count),
            "bmpc_percent": np.linspace(12.0, 25.0, count),
        }
        visits = visits.assign(**{**usual, **{name: np.array(v) for name, v in labs.items()}})
        outcomes = pd.DataFrame({"subject_id": ids, "duration_years": duration, "event": event})
        return Cohort("drawn", "real", visits, outcomes)

    return drawn

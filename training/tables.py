"""Out-of-fold risks of a training as the tables that judging reads."""

import numpy as np
import pandas as pd

from training.fit import Trained

__all__ = ["PERSON", "out_of_fold_tables"]

PERSON = "person"
"""Column of the outcomes that says which landmarks belong to one person."""


def out_of_fold_tables(trained: Trained) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Risks and outcomes of every landmark, as `training.panel.panel` takes them.

    Risks are averaged over the repetitions of the cross-validation. Rows are numbered; no
    identifier of a person is carried.

    Returns
    -------
    risks
        ``subject_id, model, horizon_years, risk``; a model is a candidate, the rule among them.
    outcomes
        ``subject_id, duration_years, event, person``, durations from the landmark.
    """
    rows = trained.rows
    number = np.arange(len(rows.subject)).astype(str)
    risks = [
        pd.DataFrame(
            {
                "subject_id": number,
                "model": name,
                "horizon_years": horizon,
                "risk": result.risk[:, :, j].mean(axis=0),
            }
        )
        for name, result in trained.results.items()
        for j, horizon in enumerate(trained.study.horizons_years)
    ]
    outcomes = pd.DataFrame(
        {
            "subject_id": number,
            "duration_years": rows.duration_years,
            "event": rows.event,
            PERSON: rows.subject,
        }
    )
    return pd.concat(risks, ignore_index=True), outcomes

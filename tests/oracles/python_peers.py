r"""What other Python packages say about the samples of make_samples.py, in python_peers.csv.

    python -m venv peers && peers/bin/pip install scikit-survival==0.28.0 \
        hazardous==0.2.0 dcurves==1.1.7
    peers/bin/python tests/oracles/python_peers.py

Each only where it defines the same quantity: scikit-survival without competing death and ties,
hazardous its Brier score at one time, dcurves net benefit with competing risks excluded.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from dcurves import dca
from hazardous.metrics import brier_score_incidence
from sksurv.metrics import brier_score, concordance_index_ipcw, cumulative_dynamic_auc

HERE = Path(__file__).parent
HORIZON = 2.0
rows: list[tuple[str, str, str, float]] = []

table = pd.read_csv(HERE / "heavy.csv")
time = table["duration_years"].to_numpy()
progressed = (table["event"] == 1).to_numpy()
outcome = np.array(list(zip(progressed, time, strict=True)), dtype=[("e", bool), ("t", float)])
for model in ("good", "noisy", "rule"):
    risk = table[model].to_numpy()
    auc, _ = cumulative_dynamic_auc(outcome, outcome, risk, [HORIZON])
    rows.append(("scikit-survival", "auc", model, float(auc[0])))
    _, score = brier_score(outcome, outcome, (1 - risk)[:, None], [HORIZON])
    rows.append(("scikit-survival", "brier", model, float(score[0])))
    rows.append(
        (
            "scikit-survival",
            "concordance",
            model,
            float(concordance_index_ipcw(outcome, outcome, risk, tau=HORIZON)[0]),
        )
    )
    frame = pd.DataFrame({"event": table["event"], "duration": time})
    found = brier_score_incidence(
        frame, frame, risk[:, None], np.array([HORIZON]), event_of_interest=1
    )
    rows.append(("hazardous", "brier", model, float(found[0])))
    data = pd.DataFrame({"time": time, "event": progressed.astype(int), "risk": risk})
    curve = dca(
        data, "event", ["risk"], thresholds=[0.1, 0.25], time=HORIZON, time_to_outcome_col="time"
    )
    rows += [
        ("dcurves", f"net_benefit_{line.threshold:g}", model, float(line.net_benefit))
        for line in curve[curve["model"] == "risk"].itertuples()
    ]
pd.DataFrame(rows, columns=["package", "quantity", "model", "value"]).to_csv(
    HERE / "python_peers.csv", index=False, float_format="%.17g"
)

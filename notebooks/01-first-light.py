# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # First light: from visits to a served, compared risk
#
# This notebook walks the way the data takes through Smoulder, on real data where it exists: a
# person's visits become features, features become the risks of published scores, a cohort becomes
# a judged model, the gate decides, and what is registered answers beside the published scores.
#
# Open it with `.venv/bin/jupytext --to ipynb notebooks/01-first-light.py`; CI executes it as it is.

# %%
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from features.landmark import LandmarkFeatures
from features.sources.csv import rows_from_frame
from features.visits import check
from models.catalogue import choose

# %% [markdown]
# ## 1. Visits, as a hospital has them
#
# Columns carry their unit. The M-protein of this hospital is in g/L, which the reader converts; a
# column without a unit would be refused, because g/L against g/dL is a silent factor of ten.

# %%
visits_table = pd.DataFrame(
    {
        "subject_id": ["A", "A", "A", "B"],
        "date": ["2023-01-10", "2023-07-11", "2024-01-09", "2023-05-02"],
        "diagnosis_date": ["2023-01-10"] * 3 + ["2023-05-02"],
        "age": [63.0, 63.5, 64.0, 71.0],
        "sex": ["F", "F", "F", "M"],
        "light_chain": ["kappa", "kappa", "kappa", None],
        "m_protein_g_l": [19.0, 21.0, 24.0, 12.0],
        "kappa_flc_mg_l": [250.0, 310.0, 420.0, 14.0],
        "lambda_flc_mg_l": [9.0, 8.0, 7.0, 60.0],
        "bmpc_percent": [22.0, np.nan, np.nan, np.nan],
        "hemoglobin_g_dl": [13.1, 12.9, 12.2, 13.8],
        "creatinine_mg_dl": [0.8, 0.85, 0.9, 1.1],
    }
)
visits = check(rows_from_frame(visits_table, source="by hand"))
visits.findings

# %% [markdown]
# ## 2. Features at a landmark
#
# What was known at the last visit of each person, and nothing later. The marrow of a year ago is
# carried forward; the M-protein rose by 0.5 g/dL, which is evolving.

# %%
history = visits.history
last = history.last_visits()
features = LandmarkFeatures(history, history.subject[last], history.time_years[last])
names = ["m_protein_g_dl", "flc_ratio_involved", "bmpc_percent", "m_protein_evolving"]
shown = pd.DataFrame(features.matrix(names), columns=names, index=list(history.subject_ids))
shown

# %%
assert shown.loc["A", "m_protein_g_dl"] == 2.4
assert shown.loc["A", "flc_ratio_involved"] == 60.0
assert shown.loc["A", "m_protein_evolving"] == 1.0

# %% [markdown]
# ## 3. Published scores
#
# B never had a marrow. 20/2/20 then answers with the groups that remain possible and the range of
# risks they carry. Nothing that is missing counts as zero.

# %%
for model in choose(["20-2-20", "pangea-smm"]):
    estimates = model.estimate(features)
    for i, subject in enumerate(history.subject_ids):
        at_two = estimates.horizons_years.index(2.0)
        risk = estimates.risk[i, at_two]
        low, high = estimates.lower[i, at_two], estimates.upper[i, at_two]
        groups = "|".join(estimates.groups_at(i))
        print(f"{model.name:12} {subject}  {groups:18} {risk:.3f} ({low:.3f}-{high:.3f})")

# %% [markdown]
# ## 4. A real cohort, and an honest result
#
# No open cohort has SMM, serial labs and outcome. `mgus2` is the nearest: 1,384 people with MGUS,
# 115 progressions and 860 deaths before progression. Death is a known non-event here, not a
# censoring: 1 - Kaplan-Meier would put the ten-year risk half again too high.

# %%
from training.cohorts import installable_cohort
from training.fit import summary, train
from training.study import read_study

study = read_study("mgus")
trained = train(installable_cohort("mgus2"), study, seed=1, refits=20)
pd.DataFrame({name: summary(r, study)["10y"] for name, r in trained.results.items()}).T

# %% [markdown]
# With 115 events nothing beats the M-protein alone by much. The gate asks for a smaller Brier score
# than the recalibrated rule's and says which limits were not kept:

# %%
trained.verdict.failures

# %% [markdown]
# ## 5. Registered, and served
#
# The registry keeps every run. A refused candidate is registered as challenger, and the rule, with
# this cohort's own risks, stays champion – a respectable outcome.

# %%
from models.artefact import load_artefact
from training.registry import Registry

with tempfile.TemporaryDirectory() as folder:
    registry = Registry(Path(folder))
    version, champion, _ = registry.register(trained)
    served = load_artefact(registry.serving / "mgus-progression" / "artefact")
print(f"{version.learner}: {version.gate}; champion: {champion.learner}")

# %% [markdown]
# What the service answers is this very object, read from the bundle without MLflow:

# %%
mgus_risk = served.estimate(features).risk
pd.DataFrame(
    mgus_risk, columns=[f"{h:g} years" for h in served.horizons_years], index=["A", "B"]
).round(3)

# %%
assert (mgus_risk[0] > mgus_risk[1]).all()
assert champion.gate in {"rule", "passed"}

# %% [markdown]
# `smoulder demo` does the same and opens the page at http://127.0.0.1:3000/ui/.

"""The least one would write: FastAPI validates the body, XGBoost predicts one row. Nothing else.

    python -m benchmarks.peers.minimal_fastapi PORT BOOSTER

No units, no dates, no staging, no published model, no interval, no reason, no audit.
"""

import sys
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import uvicorn
import xgboost
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

BOOSTER = xgboost.Booster()
READ = ("m_protein", "bmpc", "hemoglobin", "creatinine", "albumin")
"""The analytes that stand for the booster's first columns; which ones does not matter to speed."""


class Closed(BaseModel):
    """An object that holds nothing but its fields."""

    model_config = ConfigDict(extra="forbid")


class Lab(Closed):
    """One value."""

    value: float
    unit: str


class Visit(Closed):
    """One visit."""

    date: date
    labs: dict[str, Lab]


class Subject(Closed):
    """One subject."""

    sex: Literal["female", "male", "unknown"]
    age: float
    heavy_chain: str | None = None
    light_chain: str | None = None


class Asked(Closed):
    """The body."""

    subject: Subject
    visits: list[Visit]


app = FastAPI()


@app.post("/v1/risk")
async def risk(asked: Asked) -> dict[str, float]:
    """Risk of the last visit's values."""
    row = np.full((1, BOOSTER.num_features()), np.nan, dtype=np.float32)
    last = asked.visits[-1].labs
    for column, name in enumerate(READ):
        if name in last:
            row[0, column] = last[name].value
    return {"risk": float(BOOSTER.inplace_predict(row)[0])}


def main() -> None:
    """Serve until stopped."""
    port, booster = sys.argv[1:]
    BOOSTER.load_model(Path(booster))
    BOOSTER.set_param({"nthread": 1})
    uvicorn.run(app, host="127.0.0.1", port=int(port), access_log=False, log_level="warning")


if __name__ == "__main__":
    main()

"""Between log odds and risks."""

import numpy as np

from models.link import FLOOR, expit, logit


def test_logit_and_expit_undo_each_other_and_never_reach_certainty() -> None:
    risk = np.array([0.0, 0.001, 0.5, 0.999, 1.0])
    np.testing.assert_allclose(expit(logit(risk)), [FLOOR, 0.001, 0.5, 0.999, 1 - FLOOR])

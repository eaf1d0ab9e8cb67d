"""Ratios of reported light chains meet the published cuts exactly where the paper sum does."""

from decimal import Decimal

import numpy as np
import pytest

from features.derived import chain_ratio, involved_ratio

CUTS = ("8", "10", "20", "25", "30", "40", "50", "100")


@pytest.mark.parametrize("cut", CUTS)
def test_decimal_chains_whose_ratio_is_a_cut_give_that_cut(cut):
    # Uninvolved 0.5 to 40.0 mg/L in tenths; the involved chain is exactly `cut` times that.
    uninvolved = [Decimal(tenths) / 10 for tenths in range(5, 401)]
    involved = np.array([float(value * Decimal(cut)) for value in uninvolved])
    uninvolved = np.array([float(value) for value in uninvolved])
    untyped = np.full(uninvolved.size, -1, dtype=np.int8)
    kappa = involved_ratio(chain_ratio(involved, uninvolved), untyped)
    lambda_ = involved_ratio(chain_ratio(uninvolved, involved), untyped)
    np.testing.assert_array_equal(kappa, float(cut))
    np.testing.assert_array_equal(lambda_, float(cut))
    # The smallest step of a reported value is still on its side of the cut.
    over = involved_ratio(chain_ratio(involved + 0.01, uninvolved), untyped)
    under = involved_ratio(chain_ratio(involved - 0.01, uninvolved), untyped)
    assert (over > float(cut)).all() and (under < float(cut)).all()

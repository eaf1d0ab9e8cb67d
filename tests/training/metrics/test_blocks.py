import numpy as np
import pytest

from training.metrics.blocks import blocks


@pytest.mark.parametrize("size", [0, 1, 8192, 8193, 20_000])
def test_blocks_cover_everything_once(size: int) -> None:
    places = np.arange(size)
    assert np.concatenate([places[:0], *(places[part] for part in blocks(size))]).tolist() == [
        *range(size)
    ]

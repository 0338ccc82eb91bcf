"""Every file of THINGS that a page reads is registered, with where it is to be had."""

import os

import numpy as np
import pytest

from analysis.data import registry
from analysis.data.things import EMBEDDINGS, TRIALS, load_embeddings


def test_every_file_is_registered_with_its_hash():
    files = [*EMBEDDINGS.values(), *TRIALS.values()]
    assert len(set(files)) == len(files) == 7
    assert all(len(registry.registered_hash(name)) == 64 for name in files)


@pytest.mark.public_data
@pytest.mark.skipif(not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name the public data files")
def test_embeddings_are_scaled_by_one_number():
    for name, table in load_embeddings().items():
        assert table.shape == (1854, int(name.split(", ")[1]))
        assert np.square(table).sum(axis=1).mean() == pytest.approx(1, abs=1e-5)

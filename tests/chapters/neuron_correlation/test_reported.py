"""The paper's printed numbers: their shape, and what follows from them."""

import numpy as np
import pytest

from analysis.chapters.neuron_correlation import reported


def test_every_net_and_every_pair_has_its_numbers():
    assert list(reported.NET_CNN) == list(reported.ROBUST_ACCURACY) == list(reported.NETS)
    assert len(reported.NET_NET) == 10
    for a, b in reported.NET_NET:
        assert a < b


def test_the_printed_correlation_hangs_on_the_deep_net():
    scores, accuracies = (list(table.values()) for table in (reported.NET_CNN, reported.ROBUST_ACCURACY))
    assert reported.printed_correlation() == pytest.approx(np.corrcoef(scores, accuracies)[0, 1])
    assert reported.printed_correlation() == pytest.approx(0.94, abs=0.005)
    assert reported.printed_correlation(without="net5") < 0.7

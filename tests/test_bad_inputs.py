"""Every bad input of the table says which argument, which rule, and what came instead."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
import yaml

import analysis

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))
UNITS = RNG.normal(size=(10, 4))
NAN, INF = UNITS.copy(), UNITS.copy()
NAN[3, 2], INF[0, 0] = np.nan, -np.inf
ANSWERS = np.array([[0, 1, 1], [1, 1, 0]])
TABLE = pd.DataFrame(RNG.normal(size=(40, 5)), [f"model{i}" for i in range(40)], [f"m{j}" for j in range(5)])
GAPPED = TABLE.where(RNG.random(TABLE.shape) > 0.2)
FLAT = TABLE.assign(m1=1.0)
CHANCES = np.array([[[0.8, 0.1, 0.1], [0.2, 0.2, 0.6]], [[0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]])
SIMILARITY = X[:5] @ X[:5].T
RECOVERED = pd.DataFrame(
    {"generator": list("aabb"), "candidate": list("abab"), "n_triplets": 10, "seed": 0}
    | {"test_accuracy": [0.9, 0.5, 0.7, 0.6]}
)

ROWS = [
    (row["call"], row["says"])
    for rows in yaml.safe_load(Path(__file__).with_name("bad_inputs.yml").read_text(encoding="utf-8")).values()
    for row in rows
]


class Names(dict):
    """What a call of the table may name: this module's inputs, and the public face."""

    def __missing__(self, name: str):
        if name not in analysis.__all__:
            raise KeyError(name)
        return getattr(analysis, name)


NAMES = {name: value for name, value in globals().items() if name.isupper()} | {
    "np": np,
    "pd": pd,
    "scipy": scipy,
    "torch": torch,
}


@pytest.mark.parametrize(("call", "says"), ROWS, ids=[call for call, _ in ROWS])
def test_bad_input_is_refused_in_one_sentence(call, says):
    with pytest.raises(ValueError, match=says) as refused:
        eval(call, {}, Names(NAMES))
    assert "\n" not in str(refused.value)


def test_the_table_is_large_and_holds_each_call_once(record_property, capsys):
    record_property("bad inputs", len(ROWS))
    with capsys.disabled():  # shown though the test passes
        print(f" {len(ROWS)} bad inputs ", end="")
    assert len({call for call, _ in ROWS}) == len(ROWS) >= 250

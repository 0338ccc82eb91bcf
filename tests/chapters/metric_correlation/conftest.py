"""A table of scores in which behaviour agrees and neural metrics do not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.data.leaderboards import read_table
from analysis.measures.spearman_bootstrap import bootstrap_spearman

TREE = {"neural": {"V1": ["a", "b"], "IT": ["c"]}, "behaviour": ["d", "e", "f"]}
YAML = "neural:\n  V1: [a, b]\n  IT: [c]\nbehaviour: [d, e, f]\n"


def _made_up(n_models=40, *, gaps=0, seed=0) -> pd.DataFrame:
    """Behaviour agrees and varies much, neural metrics hardly do either."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n_models, 1))
    values = np.hstack([0.1 * rng.normal(size=(n_models, 3)), shared + 0.3 * rng.normal(size=(n_models, 3))])
    table = pd.DataFrame(values.round(6), [f"net{i}" for i in range(n_models)], list("abcdef"))
    table.iloc[:gaps, 0] = np.nan
    return table


def _write(folder: Path, table: pd.DataFrame, groups: str = YAML) -> tuple[str, str]:
    paths = folder / "mine.csv", folder / "mine.yml"
    cells = table.astype(object).where(table.notna(), "X")
    cells.insert(0, "family", [f"family{i // 2}" for i in range(len(table))])
    cells.to_csv(paths[0], index_label="model")
    paths[1].write_text(groups, encoding="utf-8")
    return str(paths[0]), str(paths[1])


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    return read_table(_write(tmp_path_factory.mktemp("own"), _made_up(gaps=3))[0], TREE)


@pytest.fixture(scope="module")
def bootstrap(board):
    return bootstrap_spearman(board.scores, 100, seed=0)


@pytest.fixture(scope="session")
def made_up():
    return _made_up


@pytest.fixture(scope="session")
def write():
    return _write

"""Tables of alignment: what is read, what stands for a gap, and what is refused; known numbers of the public ones."""

import os

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.metric_correlation.parameters import DEEPNSD, ENCODING, SCALING
from analysis.data.alignment_tables import read_deepnsd, read_encoding, read_scaling
from analysis.data.registry import public_path
from analysis.measures.spearman import spearman_matrix

REGIONS = ["V1", "V2", "V4", "IT", "Behavioral"]
LAYERS = pd.DataFrame(
    [
        ["layer1", 0.1, "ResNet18", "None", "Untrained", "PyTorch"],
        ["layer2", 0.3, "ResNet18", "None", "Untrained", "PyTorch"],
        ["layer1", 0.5, "ResNet50", "Unsupervised Segmentation (2D)", "Self-Supervised", "Taskonomy"],
    ],
    columns=["layer", "score", "architecture", "task", "kind", "source"],
)


def scaling():
    """Four networks: a competent one, one trained on other data, one without a classifier, one untrained."""
    rows = [("a", "imagenet", 0.7, False), ("b", "ecoset", 0.6, False), ("c", "imagenet", 0, False),
            ("d", "imagenet", np.nan, True)]  # fmt: skip
    long = pd.DataFrame(rows, columns=["model_id", "dataset", "acc", "is_random"])
    long = long.merge(pd.DataFrame({"region": REGIONS}), how="cross").assign(arch="resnet18")
    return long.assign(score=np.arange(len(long)) / 100)


def written(folder, table, name="table.csv"):
    table.to_csv(folder / name, index=False)
    return folder / name


def test_accuracies_are_those_on_imagenet_of_models_with_a_classifier(tmp_path):
    table = read_scaling(written(tmp_path, scaling().iloc[::-1]))
    assert table.models["accuracy"].to_dict() == pytest.approx(
        {"a": 0.7, "b": np.nan, "c": np.nan, "d": np.nan}, nan_ok=True
    )
    assert table.models["trained"].tolist() == [True, True, True, False]
    assert table.scores.loc["b"].to_dict() == pytest.approx(
        {"V1": 0.05, "V2": 0.06, "V4": 0.07, "IT": 0.08, "behaviour": 0.09}
    )


def test_a_missing_score_stays_a_gap(tmp_path):
    table = read_scaling(written(tmp_path, scaling().drop(index=1)))
    assert table.scores.isna().sum().to_dict() == {"V1": 0, "V2": 1, "V4": 0, "IT": 0, "behaviour": 0}


def test_the_best_layer_counts_and_synonyms_are_one_task(tmp_path):
    short = LAYERS.assign(task=LAYERS["task"].str.replace("Unsupervised Segmentation", "Unsup Seg"))
    paths = {"V1": written(tmp_path, LAYERS, "a.csv"), "V2": written(tmp_path, short.assign(score=[9, 8, 7]), "b.csv")}
    table = read_encoding(paths)
    assert table.scores["V1"].tolist() == [0.3, 0.5]
    assert table.scores["V2"].tolist() == [9, 7]
    assert table.models["trained"].tolist() == [False, True]
    assert table.models["accuracy"].isna().all()


def test_percent_become_shares_and_random_is_untrained(tmp_path):
    names = ["alexnet_classification", "alexnet_random"]
    long = pd.DataFrame({"model_string": names, "train_task": ["classification", "random"], "architecture": "alexnet"})
    long = long.merge(pd.DataFrame({"metric": ["crsa", "wrsa", "srpr"]}), how="cross").assign(score=0.5)
    top1 = pd.DataFrame({"model_string": [names[0], "unknown"], "imagnet1k_top1": [56.5, 1.0]})
    table = read_deepnsd(written(tmp_path, long), written(tmp_path, top1, "top1.csv"))
    assert table.models["trained"].to_dict() == {names[0]: True, names[1]: False}
    assert table.models["accuracy"].to_dict() == pytest.approx({names[0]: 0.565, names[1]: np.nan}, nan_ok=True)


def test_what_does_not_fit_is_refused_by_name(tmp_path):
    long = scaling()
    with pytest.raises(ValueError, match=r"'table.csv' must have the columns .* got no 'acc'"):
        read_scaling(written(tmp_path, long.drop(columns="acc")))
    with pytest.raises(ValueError, match=r"'table.csv' must hold the metrics .* got .*V3"):
        read_scaling(written(tmp_path, long.replace("V4", "V3")))
    with pytest.raises(ValueError, match="'table.csv' must have one row for each model_id, region, got two of a, V1"):
        read_scaling(written(tmp_path, pd.concat([long, long.head(1)])))
    paths = {"V1": written(tmp_path, LAYERS, "a.csv"), "V2": written(tmp_path, LAYERS.head(2), "b.csv")}
    with pytest.raises(ValueError, match="'paths' must be about the same networks, got a gap for 'ResNet50"):
        read_encoding(paths)


@pytest.mark.public_data
@pytest.mark.skipif(not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name the public data files")
def test_known_numbers_of_the_public_tables():
    table = read_scaling(public_path(SCALING))
    assert table.scores.shape == (993, 5)
    assert table.scores.isna().sum().tolist() == [0, 6, 0, 0, 0]
    competent = table.scores[table.models["accuracy"] > 0.6]
    assert len(competent) == 129
    assert spearman_matrix(table.scores).mean == pytest.approx(0.745, abs=5e-4)
    assert spearman_matrix(competent).mean == pytest.approx(0.312, abs=5e-4)
    brains = read_deepnsd(*map(public_path, DEEPNSD))
    assert brains.scores.shape == (224, 3)
    assert (~brains.models["trained"]).sum() == 64
    regions = read_encoding({metric: public_path(file) for metric, file in ENCODING.items()})
    assert regions.scores.shape == (40, 14)
    assert list(regions.scores)[-4:] == ["monkey V1", "monkey V2", "monkey V4", "monkey IT"]

"""The metric-correlation chapter: identities and oracles of its experiments, the zoo's metrics, a user's own table."""

from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from analysis.chapters.metric_correlation import experiments, figures, zoo_metrics
from analysis.chapters.metric_correlation.parameters import Parameters, PublicParameters, read_own
from analysis.data.corruptions import KINDS
from analysis.data.images import load_images
from analysis.data.leaderboards import read_table
from analysis.data.registry import registry
from analysis.measures.aggregation import aggregate
from analysis.measures.overall_scores import explained_variance
from analysis.measures.spearman import spearman_matrix
from analysis.measures.spearman_bootstrap import bootstrap_spearman
from analysis.measures.spectrum import eigenvalue_spectrum
from analysis.measures.trees import tree_leaves
from analysis.models.zoo import load_network
from analysis.recovery.observers import Observer, simulated_observer
from analysis.recovery.triplets import choice_probabilities, draw_triplets
from analysis.runs.parameters import ParameterError

TREE = {"neural": {"V1": ["a", "b"], "IT": ["c"]}, "behaviour": ["d", "e", "f"]}
YAML = "neural:\n  V1: [a, b]\n  IT: [c]\nbehaviour: [d, e, f]\n"


def made_up(n_models=40, *, gaps=0, seed=0) -> pd.DataFrame:
    """Behaviour agrees and varies much, neural metrics hardly do either."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n_models, 1))
    values = np.hstack([0.1 * rng.normal(size=(n_models, 3)), shared + 0.3 * rng.normal(size=(n_models, 3))])
    table = pd.DataFrame(values.round(6), [f"net{i}" for i in range(n_models)], list("abcdef"))
    table.iloc[:gaps, 0] = np.nan
    return table


def write(folder: Path, table: pd.DataFrame, groups: str = YAML) -> tuple[str, str]:
    paths = folder / "mine.csv", folder / "mine.yml"
    cells = table.astype(object).where(table.notna(), "X")
    cells.insert(0, "family", [f"family{i // 2}" for i in range(len(table))])
    cells.to_csv(paths[0], index_label="model")
    paths[1].write_text(groups, encoding="utf-8")
    return str(paths[0]), str(paths[1])


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    return read_table(write(tmp_path_factory.mktemp("own"), made_up(gaps=3))[0], TREE)


@pytest.fixture(scope="module")
def bootstrap(board):
    return bootstrap_spearman(board.scores, 100, seed=0)


# ---------------------------------------------------------------------------------------------------- a table


def test_the_table_can_be_read_again_as_it_was_shown(board, tmp_path):
    experiments.as_csv(board).to_csv(tmp_path / "again.csv", index=False)
    again = read_table(tmp_path / "again.csv", TREE)
    pd.testing.assert_frame_equal(again.scores, board.scores)
    pd.testing.assert_frame_equal(again.status, board.status)
    pd.testing.assert_series_equal(again.models["family"], board.models["family"])
    assert experiments.measured_share(board) == 1 - 3 / board.scores.size


def test_ranks_are_relative_to_the_models_measured(board):
    ranks = experiments.relative_ranks(board.scores)
    assert (ranks.min() == 0).all()
    assert (ranks.max() == 1).all()
    assert ranks.isna().sum().sum() == 3


def test_coverage_counts_by_part(board):
    coverage = experiments.coverage(board)
    assert coverage.loc["neural"].to_dict() == {"measured": 117, "failed": 3, "missing": 0, "impossible": 0}
    assert coverage.loc["behaviour", "measured"] == 120


def test_contrast_is_the_difference_of_means_in_the_table_and_in_every_resample(board, bootstrap):
    first, second = (experiments.metrics_of(board, part) for part in ("behaviour", "neural"))
    found = experiments.contrast(bootstrap, first, second)

    def by_hand(rho):
        one, other = (np.mean([rho.loc[pair] for pair in combinations(side, 2)]) for side in (first, second))
        return one - other

    assert found.value == pytest.approx(by_hand(board.scores.corr("spearman")), abs=1e-12)
    rows = np.repeat(np.arange(len(board.scores)), bootstrap.counts[7])
    names = bootstrap.rho.columns
    seventh = by_hand(board.scores.iloc[rows].corr("spearman"))
    assert by_hand(pd.DataFrame(bootstrap.samples[7], names, names)) == pytest.approx(seventh, abs=1e-9)
    assert found.low < found.value < found.high
    assert found.low > 0


def test_a_metric_that_is_noise_stands_apart(bootstrap):
    noise = experiments.apart(bootstrap, "a")
    rho = bootstrap.rho.drop(index="a", columns="a").to_numpy()
    others = rho[np.triu_indices(5, 1)].mean()
    assert noise.value == pytest.approx(bootstrap.rho.loc["a"].drop("a").mean() - others, abs=1e-12)
    assert noise.high < 0


def test_the_most_negative_pair_is_found_and_its_interval_allows_for_the_search():
    table = made_up(200)
    lowest = experiments.most_negative(spearman_matrix(table.assign(c=-table["d"])), list("abc"), list("def"))
    assert lowest.value == pytest.approx(-1)
    assert lowest.interval == "95% for 9 pairs at once, 200 models: c – d"
    misses = 0
    for seed in range(100):  # unrelated metrics: the interval of the lowest pair rarely excludes 0
        noise = pd.DataFrame(np.random.default_rng(seed).normal(size=(30, 6)), columns=list("abcdef"))
        misses += experiments.most_negative(spearman_matrix(noise), list("abc"), list("def")).high < 0
    assert misses <= 6


def test_standardised_parts_explain_one_plus_r_over_two():
    """The identity that the text of the chapter and its first exercise rest on."""
    table = made_up()
    parts = pd.DataFrame({"neural": table[["a", "b", "c"]].mean(axis=1), "behaviour": table[["d", "e"]].mean(axis=1)})
    standard = (parts - parts.mean()) / parts.std(ddof=0)
    r = standard.corr().iloc[0, 1]
    for part in standard:
        assert explained_variance(standard.mean(axis=1), standard[part]) == pytest.approx((1 + r) / 2)


def test_explained_shares_are_those_of_the_measure_and_behaviour_dominates(board):
    scores = experiments.part_scores(board)
    shares = experiments.explained(scores, n_resamples=50, seed=0).set_index(["scores", "part"])["share"]
    for (name, part), share in shares.items():
        assert share.value == pytest.approx(explained_variance(scores[name]["overall"], scores[name][part]))
        assert share.low <= share.value <= share.high
    difference = experiments.share_difference(scores["raw"], "behaviour", "neural", n_resamples=50, seed=0)
    assert difference.value == pytest.approx(shares["raw", "behaviour"].value - shares["raw", "neural"].value)
    assert difference.low > 0
    assert set(experiments.flat(shares.reset_index(), "share")) == {"scores", "part", "value", "low", "high"}


def test_overall_scores_and_moves_are_those_of_the_measures(board):
    overall = experiments.overall_scores(board)
    np.testing.assert_allclose(overall[experiments.PLAIN], board.complete.mean(axis=1))
    pd.testing.assert_series_equal(overall[experiments.RANK], aggregate(board.complete, "rank"), check_names=False)
    moves = experiments.moves(overall, more_than=4)
    assert len(moves) == 3 * len(board.complete)
    assert (moves["moved"] == (moves["change"].abs() > 4)).all()
    assert (moves["change"] == moves["before"] - moves["after"]).all()


def test_differences_between_orders(board):
    overall = experiments.overall_scores(board)
    orders = bootstrap_spearman(overall, 50, seed=0)
    anchor, z, rank = experiments.HIERARCHY, experiments.Z, experiments.RANK
    one, other = (experiments.order_agreement(orders, anchor, name) for name in (z, rank))
    assert one.value == pytest.approx(overall.corr("spearman").loc[anchor, z])
    assert experiments.order_difference(orders, anchor, z, rank).value == pytest.approx(one.value - other.value)


def test_ten_models_are_on_top_and_a_clear_leader_stays(tmp_path):
    table = made_up()
    table.loc["net0"] = 10
    board = read_table(write(tmp_path, table)[0], TREE)
    stability = experiments.top_stability(board, n_resamples=20, seed=0)
    totals = stability.groupby(["score", "resampled"])["share"].sum()
    assert (totals >= 10).all()
    assert (stability.loc[stability["model"] == "net0", "share"] == 1).all()
    stay = experiments.expected_to_stay(stability, experiments.overall_scores(board))
    assert (stay["expected to stay"] <= stay["on top"]).all()
    assert (stay["on top"] >= 10).all()  # ties for the last place all count


def test_populations_name_only_sets_that_are_large_enough(board):
    few = board.scores.index[:9]
    table = experiments.populations(board, {"few": few, "half": board.scores.index[:20]}, n_resamples=20, seed=0)
    assert table["models"].tolist() == [
        "complete models",
        "complete models, families resampled",
        "all models, pairwise complete",
        "one model per family",
        "half",
    ]
    assert table["n_models"].tolist() == [37, 37, 40, 20, 20]
    complete = table.iloc[0]["mean"]
    assert complete.value == pytest.approx(spearman_matrix(board.complete).mean)


def test_every_figure_takes_a_table_with_gaps(board, bootstrap):
    matrix = spearman_matrix(board.scores)
    overall = experiments.overall_scores(board)
    scores = experiments.part_scores(board)
    shares = experiments.explained(scores, n_resamples=20, seed=0)
    stability = experiments.top_stability(board, n_resamples=5, seed=0)
    long = experiments.long_matrix(matrix, bootstrap)
    assert len(long) == 15
    drawn = [
        figures.table_picture(board),
        figures.heatmap(matrix, board),
        figures.part_scatter(scores, shares),
        figures.slopes(overall),
        figures.top_ten(stability, overall),
        figures.dimensions(eigenvalue_spectrum(board.complete, 20, seed=0)),
        figures.against_all(experiments.one_against_all(bootstrap, "a"), board),
    ]
    assert all(figure.axes for figure in drawn)
    plt.close("all")


# ---------------------------------------------------------------------------------------------- the zoo's metrics


def test_units_match_themselves_and_not_noise():
    units, noise = torch.randn(2, 400, 20, generator=torch.Generator().manual_seed(0))
    rotated = units[:, torch.randperm(20, generator=torch.Generator().manual_seed(1))]
    assert zoo_metrics.matched_units(units, rotated) == pytest.approx(1, abs=1e-5)
    assert abs(zoo_metrics.matched_units(units, noise)) < 0.05


def test_the_reference_is_like_itself_in_every_layer():
    digits = load_images()
    network = load_network("resnet-12-s2-b2-untrained", digits, np.arange(900), seed=0)
    whole, pooled = ([zoo_metrics.landmarks(network, digits.x[:60], pool)] * 2 for pool in (None, "mean"))
    found = zoo_metrics.layer_likeness(whole, pooled)
    assert list(found) == [f"{depth} {measure}" for depth in zoo_metrics.DEPTHS for measure in ("CKA", "RSA", "units")]
    assert np.concatenate(list(found.values())) == pytest.approx(1, abs=1e-4)


def test_a_layer_that_an_image_silences_is_a_failed_run():
    features = torch.rand(20, 5, generator=torch.Generator().manual_seed(0))
    silenced = features.clone()
    silenced[3] = 0
    rho = zoo_metrics._rsa_with(features, [features, silenced])
    assert rho[0] == pytest.approx(1)
    assert np.isnan(rho[1])


def test_answers_are_compared_with_the_reference():
    labels = np.arange(40) % 4
    wrong = np.where(np.arange(40) < 20, labels, (labels + 1) % 4)
    other = np.where(np.arange(40) >= 20, labels, (labels + 2) % 4)
    views = [dict.fromkeys(("clean", *KINDS), answers) for answers in (labels, wrong, other)]
    found = zoo_metrics.answer_likeness(views, views[1], labels, n_contrastive=10)
    for kind in KINDS:
        assert found[f"errors: {kind}"] == pytest.approx([0, 1, -1])
    assert found["contrastive images"][1] == 1
    assert found["contrastive images"][2] == 0


def test_odd_one_out_is_predicted_by_the_features_that_chose():
    features = torch.randn(30, 6, generator=torch.Generator().manual_seed(0)).double()
    centred = features - features.mean(0)
    triplets = draw_triplets(30, 500, 0)
    choices = choice_probabilities((centred @ centred.T).numpy(), triplets).argmax(axis=1)
    assert zoo_metrics.predicted_choices(features + 7, Observer(triplets, choices)) == 1
    noise = torch.randn(30, 6, generator=torch.Generator().manual_seed(1))
    assert 0.2 < zoo_metrics.predicted_choices(noise, Observer(triplets, choices)) < 0.47


def test_the_observer_can_be_predicted_above_chance_by_classes():
    digits = load_images().subset(np.arange(120))
    observer = simulated_observer(digits.x[:, 0], digits.y, 2000, seed=0)
    classes = torch.nn.functional.one_hot(digits.y).float()
    assert zoo_metrics.predicted_choices(classes, observer) > 0.36


def test_accuracies_count_right_answers():
    views = ("clean", *KINDS, "own attack", "reference's attack")
    found = zoo_metrics.accuracies([{view: np.array([0, 1, 1, 0]) for view in views}], np.array([0, 1, 0, 0]))
    assert {name: float(value[0]) for name, value in found.items()} == {f"accuracy: {view}": 0.75 for view in views}


def test_the_tree_names_what_is_measured():
    leaves = tree_leaves(zoo_metrics.TREE)
    views = [f"accuracy: {view}" for view in ("clean", *KINDS, "own attack", "reference's attack")]
    assert set(leaves) >= {*views, zoo_metrics.ODD_ONE_OUT, "contrastive images"}
    assert len(leaves) == len(set(leaves)) == 9 + 9 + 10


# ------------------------------------------------------------------------------------------------------ parameters


def test_a_table_of_ones_own_is_read(tmp_path):
    table, groups = write(tmp_path, made_up())
    parameters = Parameters.checked({"table": table, "groups": groups})
    assert set(parameters.data_hashes()) == {"table", "groups"}
    assert zoo_metrics.board_of(parameters).scores.shape == (40, 6)
    assert Parameters.checked({}).data_hashes() == {}


@pytest.mark.parametrize(
    ("change", "groups", "sentence"),
    [
        ({}, "- a\n- b\n", "'groups' must be a mapping from group to metrics"),
        ({}, "neural: [a, b\n", "must be CSV and YAML, and could not be read"),
        ({}, "neural: [a, b]\nbehaviour: [d, oops]\n", "got 'oops'"),
        ({}, "neural: [a, b, c, d, e, f]\n", "must begin with two parts of at least 2 metrics each, got neural (6)"),
        ({}, "neural: [a]\nbehaviour: [b, c]\n", "got neural (1), behaviour (2)"),
        ({"a": np.nan}, YAML, "must have at least 10 models with every metric, got 0 of 40"),
        ({"b": 1.0}, YAML, "got a constant 'b'"),
        ({"c": "high"}, YAML, "got 'high'"),
    ],
)
def test_bad_tables_are_refused_in_one_sentence(change, groups, sentence, tmp_path):
    table, groups = write(tmp_path, made_up().assign(**change), groups)
    with pytest.raises(ParameterError) as error:
        Parameters.checked({"table": table, "groups": groups})
    assert sentence in str(error.value)
    assert "\n\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"table": "nowhere.csv"}, "there is no file 'nowhere.csv'"),
        ({"groups": "mine.yml"}, "'groups' must be empty for the zoo"),
        ({"reference": "resnet-1000"}, "must be one of 'mlp-100'"),
        ({"severity": 6}, "an integer of at least 1 and at most 5"),
        ({"n_contrastive": 5}, "at least 10"),
    ],
)
def test_bad_parameters_are_refused(values, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Parameters.checked(values)


def test_a_table_needs_its_groups(tmp_path):
    table, _ = write(tmp_path, made_up())
    with pytest.raises(ParameterError, match="'groups' must be the path of a YAML file"):
        Parameters.checked({"table": table})


def test_an_empty_table_is_refused(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "groups.yml").write_text(YAML)
    with pytest.raises(ValueError, match="could not be read"):
        read_own(str(tmp_path / "empty.csv"), str(tmp_path / "groups.yml"))


def test_the_recorded_run_names_registered_files():
    assert set(PublicParameters.checked({}).public_files()) <= set(registry())

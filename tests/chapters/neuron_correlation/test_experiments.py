"""The chapter's experiments: on units that are known, on a made-up zoo, and against the paper's printed numbers."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.neuron_correlation import experiments
from analysis.chapters.neuron_correlation.reported import NET_NET, NETS
from analysis.data.images import load_images, split
from analysis.measures.neurons import neuronal_correlation


def test_shared_units_score_one_whatever_their_order_and_noise_scores_its_floor(laboratory):
    cnn = laboratory.activations["CNN"]
    shared = experiments.compare(laboratory.activations["net2"], cnn, "none")
    assert shared["score"] == pytest.approx(1, abs=1e-5)
    assert shared["corrected"] == pytest.approx(1, abs=1e-5)
    assert shared["shuffled"] == pytest.approx(shared["floor"], abs=0.1)
    noise = experiments.compare(laboratory.activations["net5"], cnn, "none")
    assert abs(noise["corrected"]) < 0.1


def test_a_comparison_takes_the_stimuli_that_it_is_given(laboratory):
    source, target = laboratory.activations["net5"], laboratory.activations["CNN"]
    few = np.arange(10)
    found = experiments.compare(source, target, "none", stimuli=few)["score"]
    by_hand = neuronal_correlation(source.values[few], target.values[few], penalty=None).score
    assert found == pytest.approx(by_hand, abs=1e-6)


def test_tables_hold_every_pair_and_every_net(laboratory):
    pairs = experiments.net_pairs([laboratory], "index")
    assert list(zip(pairs["source"], pairs["target"], strict=True)) == list(NET_NET)
    found = experiments.net_to_cnn([laboratory], "index", n_probe=20, n_draws=2)
    assert found["net"].tolist() == list(NETS)
    assert set(found["n_probe"]) == {20}
    assert found.set_index("net")["score"].idxmin() == "net5"
    assert set(experiments.net_to_cnn([laboratory], "index", n_probe=1000, n_draws=1)["n_probe"]) == {60}


def test_the_printed_order_agrees_with_itself():
    pairs = pd.DataFrame([{"source": a, "target": b, "score": value} for (a, b), value in NET_NET.items()])
    assert experiments.agreement_with_print(pairs) == pytest.approx(1)
    assert experiments.agreement_with_print(pairs.assign(score=-pairs["score"])) == pytest.approx(-1)


def test_curves_reach_from_few_images_to_all(laboratory):
    curve = experiments.probe_curve([laboratory], [5, 60], n_draws=2)
    counts = curve.groupby(["n_probe", "penalty"]).size()
    assert set(counts[5]) == {2 * len(NETS)}
    assert set(counts[60]) == {len(NETS)}  # there is only one draw of all images
    floors = curve.groupby("n_probe")["floor"].mean()
    assert floors[5] > floors[60]


@pytest.mark.parametrize("n_stimuli", [7, 450, 17_500])
def test_probe_sizes_rise_and_end_at_all(n_stimuli):
    sizes = experiments.probe_sizes(n_stimuli)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == n_stimuli
    assert sizes[0] == 5


def test_draws_are_of_different_stimuli_and_hang_on_their_seed():
    drawn = experiments.draw_stimuli(50, 20, 1, 2)
    assert len(set(drawn)) == 20
    assert (drawn == experiments.draw_stimuli(50, 20, 1, 2)).all()
    assert not np.array_equal(drawn, experiments.draw_stimuli(50, 20, 1, 3))


def test_simulated_noise_scores_the_closed_form():
    floor = experiments.paper_floor().set_index("net")
    noise = experiments.noise_to_cnn(10, n_draws=3).groupby("net")["noise"].mean()
    for net in NETS:
        assert noise[net] == pytest.approx(floor.loc[net, "chance"], abs=0.02)
    assert (floor["chance"] < floor["ceiling"]).all()


def test_class_means_name_the_nearest(laboratory):
    digits = load_images("digits", size=8)
    found = experiments.nearest_class_mean(digits, [0])["accuracy"].item()
    train, test = (digits.subset(rows) for rows in split(digits, seed=0))
    means = np.stack([train.x[train.y == c].flatten(1).double().numpy().mean(0) for c in range(10)])
    distances = ((test.x.flatten(1).double().numpy()[:, None] - means) ** 2).sum(2)
    assert found == pytest.approx((distances.argmin(1) == test.y.numpy()).mean())


def test_luck_grows_with_units_and_shrinks_with_images():
    by_units = experiments.floor_by_units().pivot(index="units", columns="images", values="chance")
    assert (by_units.diff().iloc[1:] > 0).all(axis=None)
    assert (by_units.diff(axis=1).iloc[:, 1:] < 0).all(axis=None)
    assert by_units.loc[1, 5] == pytest.approx(4 / (3 * np.pi))  # mean |r| of one unrelated unit on five images


def test_baselines_score_like_networks(laboratory):
    scores = experiments.baseline_scores([laboratory], "index", n_probe=10)
    assert len(scores) == 4
    assert scores["score"].between(0, 1).all()


def test_correlations_within_a_seed_ignore_differences_between_seeds():
    score, accuracy = np.array([0.1, 0.2, 0.4]), np.array([0.3, 0.4, 0.6])
    tables = [pd.DataFrame({"seed": seed, "score": score + seed, "accuracy": accuracy - seed}) for seed in (0, 1)]
    assert experiments.within_seed_correlation(pd.concat(tables), "score").tolist() == pytest.approx([1, 1])


def test_families_that_are_alike_are_found_and_shuffled_ones_are_not(zoo):
    found = experiments.family_contrast(zoo, n_resamples=200)
    assert found.value == pytest.approx(0.5)
    assert found.low > 0.4
    shuffled = [experiments.family_contrast(zoo, shuffle=seed, n_resamples=20).value for seed in range(20)]
    assert abs(np.mean(shuffled)) < 0.1


def test_training_adds_what_untrained_networks_lack(zoo):
    trained = zoo.table[zoo.table["training"] == "normal"]["corrected (index)"]
    found = experiments.training_effect(zoo)
    assert found.value == pytest.approx(trained.mean() - 0.1)
    assert found.low > 0
    assert abs(np.mean([experiments.training_effect(zoo, shuffle=seed).value for seed in range(40)])) < 0.1


def test_the_matrix_has_one_row_a_pair(zoo):
    rows = experiments.long_matrix(zoo)
    assert len(rows) == 16 * 15 / 2
    row = rows[(rows["network"] == "mlp-0") & (rows["other"] == "cnn-4")]
    assert row["corrected score"].item() == 0.3


def test_predictions_are_rank_correlations_over_both_groups(predictions):
    table = predictions
    assert len(table) == 2 * 3 * 3
    clean = table[(table["accuracy"] == "clean") & (table["score"] == "corrected")]
    assert [rho.value for rho in clean["rho"]] == pytest.approx([1, 1])
    flat = experiments.flat(table)
    assert flat["rho"].tolist() == [rho.value for rho in table["rho"]]
    assert (flat["low"] <= flat["rho"] + 1e-12).all()

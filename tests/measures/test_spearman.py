"""Score tables: properties first, then SciPy and pandas as slow oracles, then known numbers, then bad input."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.measures import spearman
from analysis.measures.aggregation import (
    aggregate,
    explained_variance,
    hierarchical_mean,
    min_max,
    rank_changes,
    top_share,
)
from analysis.measures.spearman import block_means, bootstrap_spearman, eigenvalue_spectrum, spearman_matrix

TREE = {"neural": {"V1": ["m0", {"texture": ["m1", "m2"]}], "IT": ["m3"]}, "behaviour": ["m4"]}


def make_table(n_models=40, n_metrics=5, *, missing=0.0, digits=6, seed=0) -> pd.DataFrame:
    """Correlated metrics; few digits make ties."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_models, 1)) + rng.normal(size=(n_models, n_metrics))
    values = values.round(digits)
    values[rng.random(values.shape) < missing] = np.nan
    return pd.DataFrame(values, [f"model{i}" for i in range(n_models)], [f"m{j}" for j in range(n_metrics)])


def resampled(table: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    return table.iloc[np.repeat(np.arange(len(table)), counts)]


# ---------------------------------------------------------------------------------------------- properties


@pytest.mark.parametrize("transform", [np.exp, lambda x: 3 * x - 7, lambda x: x**3, lambda x: 1 / (1 + np.exp(-x))])
def test_monotone_transforms_of_a_metric_change_nothing(transform):
    table = make_table(missing=0.3, digits=1)
    changed = table.assign(m2=transform(table["m2"]))
    pd.testing.assert_frame_equal(spearman_matrix(changed).rho, spearman_matrix(table).rho)
    before, after = (bootstrap_spearman(each, 20, seed=3) for each in (table, changed))
    np.testing.assert_array_equal(after.samples, before.samples)
    pd.testing.assert_series_equal(aggregate(changed.dropna(), "rank"), aggregate(table.dropna(), "rank"))


def test_reversing_a_metric_flips_its_signs():
    table = make_table(missing=0.2, digits=1)
    plain, reversed_ = (bootstrap_spearman(each, 20, seed=3) for each in (table, table.assign(m2=-table["m2"])))
    sign = np.where(table.columns == "m2", -1, 1)
    np.testing.assert_array_equal(reversed_.samples, plain.samples * np.outer(sign, sign))


def test_matrix_is_symmetric_bounded_and_one_on_the_diagonal():
    result = spearman_matrix(make_table(missing=0.4, digits=1))
    rho = result.rho.to_numpy()
    np.testing.assert_array_equal(rho, rho.T)
    np.testing.assert_allclose(np.diag(rho), 1, rtol=0, atol=1e-15)
    assert (np.abs(rho) <= 1).all()
    assert ((result.p_value >= 0) & (result.p_value <= 1)).all(axis=None)


def test_order_of_models_and_metrics_does_not_matter():
    table = make_table(missing=0.3, digits=1)
    shuffled = table.sample(frac=1, random_state=0)[["m3", "m0", "m4", "m1", "m2"]]
    expected = spearman_matrix(table).rho.loc[shuffled.columns, shuffled.columns]
    pd.testing.assert_frame_equal(spearman_matrix(shuffled).rho, expected)


def test_same_seed_same_resamples_and_no_global_state():
    table = make_table()
    np.random.seed(0)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (bootstrap_spearman(table, 30, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert not np.array_equal(first.counts, other.counts)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize(("threads", "batch"), [(1, 1), (3, 1 << 10), (7, 1 << 30)])
def test_threads_and_batches_change_nothing(monkeypatch, threads, batch):
    table = make_table(missing=0.3)
    expected = bootstrap_spearman(table, 1001, seed=0).samples
    monkeypatch.setattr(spearman, "cpu_count", lambda: threads)
    monkeypatch.setattr(spearman, "_BATCH", batch)
    n_resamples = 13 if batch == 1 else 1001
    np.testing.assert_array_equal(bootstrap_spearman(table, n_resamples, seed=0).samples, expected[:n_resamples])


def test_families_are_drawn_whole():
    table = make_table(30)
    families = pd.Series(np.repeat(list("abcdef"), 5), table.index)
    counts = bootstrap_spearman(table, 200, groups=families, seed=0).counts.reshape(200, 6, 5)
    assert (counts == counts[:, :, :1]).all()
    assert (counts[:, :, 0].sum(axis=1) == 6).all()


def test_families_of_one_are_single_models():
    table = make_table(missing=0.2)
    alone = bootstrap_spearman(table, 20, groups=list(range(len(table))), seed=5)
    np.testing.assert_array_equal(alone.samples, bootstrap_spearman(table, 20, seed=5).samples)


# ---------------------------------------------------------------------------------------------- oracles


def assert_equals_scipy(table: pd.DataFrame) -> None:
    result = spearman_matrix(table, min_models=3)
    for first, second in itertools.combinations(table.columns, 2):
        common = table[[first, second]].dropna()
        assert result.n_models.loc[first, second] == len(common)
        if len(common) < 3 or (common.nunique() == 1).any():
            assert np.isnan(result.rho.loc[first, second])
            assert np.isnan(result.p_value.loc[first, second])
        else:
            rho, p_value = stats.spearmanr(common[first], common[second])
            assert result.rho.loc[first, second] == pytest.approx(rho, rel=0, abs=1e-10)
            assert result.p_value.loc[first, second] == pytest.approx(p_value, rel=0, abs=1e-10)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("digits", [6, 1, 0])
def test_matrix_equals_scipy_pair_by_pair(missing, digits):
    assert_equals_scipy(make_table(60, 8, missing=missing, digits=digits))


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 12), st.integers(2, 4), st.data())
def test_matrix_equals_scipy_on_any_small_table(n_models, n_metrics, data):
    cell = st.one_of(st.just(np.nan), st.integers(-2, 2).map(float))
    rows = data.draw(
        st.lists(st.lists(cell, min_size=n_metrics, max_size=n_metrics), min_size=n_models, max_size=n_models)
    )
    assert_equals_scipy(pd.DataFrame(rows, columns=[f"m{j}" for j in range(n_metrics)]))


@pytest.mark.parametrize("digits", [6, 0])
@pytest.mark.parametrize("missing", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("grouped", [False, True])
def test_resamples_equal_pandas(missing, digits, grouped):
    table = make_table(50, 6, missing=missing, digits=digits)
    table["constant"] = 1.0
    families = [i // 7 for i in range(50)] if grouped else None
    result = bootstrap_spearman(table, 25, groups=families, seed=1)
    for counts, sample in zip(result.counts, result.samples, strict=True):
        np.testing.assert_allclose(sample, resampled(table, counts).corr("spearman"), rtol=0, atol=1e-6)


@pytest.mark.parametrize("n_models", [2, 3, 369, 370, 900])
def test_resamples_equal_pandas_from_few_models_to_where_single_precision_ends(n_models):
    table = make_table(n_models, 3, missing=0.05 * (n_models > 3))
    result = bootstrap_spearman(table, 5, seed=1)
    for counts, sample in zip(result.counts, result.samples, strict=True):
        np.testing.assert_allclose(sample, resampled(table, counts).corr("spearman"), rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_models", [300, 369, 370, 2000])
def test_sums_are_exact_at_any_size(n_models):
    """Equal orders have ρ = 1 to the last bit only if no sum of squared ranks is rounded."""
    order = np.random.default_rng(0).permutation(n_models).astype(float)
    result = bootstrap_spearman(pd.DataFrame({"up": order, "also": order**3, "down": -order}), 3, seed=0)
    np.testing.assert_array_equal(result.samples, np.broadcast_to([[1, 1, -1], [1, 1, -1], [-1, -1, 1]], (3, 3, 3)))


def test_resample_equals_scipy_on_its_own_common_models():
    table = make_table(60, 4, missing=0.3, digits=1)
    result = bootstrap_spearman(table, 5, seed=1)
    for counts, sample in zip(result.counts, result.samples, strict=True):
        common = resampled(table, counts)[["m0", "m3"]].dropna()
        assert sample[0, 3] == pytest.approx(stats.spearmanr(common["m0"], common["m3"]).statistic, rel=0, abs=1e-10)


def test_intervals_are_the_percentiles_of_the_samples():
    table = make_table(25, 5, missing=0.55, digits=0, seed=4)
    result = bootstrap_spearman(table, 300, seed=0, min_models=3, level=0.9)
    tested = np.isfinite(result.rho.to_numpy())
    assert 0 < result.n_defined.to_numpy()[tested].min() < 300  # some resamples leave a pair undefined
    low, high = np.nanquantile(result.samples, [0.05, 0.95], axis=0)
    np.testing.assert_allclose(result.low.to_numpy()[tested], low[tested], rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.high.to_numpy()[tested], high[tested], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(result.n_defined, np.isfinite(result.samples).sum(axis=0))


def test_mean_and_block_means_average_the_pairs_of_different_metrics():
    table = make_table(40, 5, missing=0.2)
    result = bootstrap_spearman(table, 200, seed=0)
    groups = {"m0": "a", "m1": "a", "m2": "b", "m3": "b", "m4": "a"}
    blocks = block_means(result, groups)
    pairs = list(itertools.combinations(range(5), 2))
    label = [groups[metric] for metric in table.columns]
    for key in [("a", "a"), ("a", "b"), ("b", "b")]:
        chosen = [(i, j) for i, j in pairs if tuple(sorted((label[i], label[j]))) == key]
        means = np.mean([result.samples[:, i, j] for i, j in chosen], axis=0)
        expected = [np.mean([result.rho.iat[i, j] for i, j in chosen]), *np.quantile(means, [0.025, 0.975])]
        np.testing.assert_allclose(blocks.loc[key, ["value", "low", "high"]], expected, rtol=0, atol=1e-12)
        assert blocks.loc[key, "n_pairs"] == len(chosen)
    assert list(blocks.index) == [("a", "a"), ("a", "b"), ("b", "b")]
    everything = [result.rho.iat[i, j] for i, j in pairs]
    assert result.mean.value == pytest.approx(np.mean(everything), abs=1e-12)
    assert spearman_matrix(table).mean == pytest.approx(np.mean(everything), abs=1e-12)
    upper = np.mean([result.samples[:, i, j] for i, j in pairs], axis=0)
    np.testing.assert_allclose(
        [result.mean.low, result.mean.high], np.quantile(upper, [0.025, 0.975]), rtol=0, atol=1e-12
    )


# ---------------------------------------------------------------------------------------------- known numbers


def test_ties_take_their_mean_rank():
    """Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: ρ = 4.5 / √(4.5 · 5)."""
    table = pd.DataFrame({"a": [1.0, 2, 2, 4], "b": [1.0, 3, 2, 4]})
    assert spearman_matrix(table, min_models=3).rho.loc["a", "b"] == pytest.approx(4.5 / np.sqrt(4.5 * 5), abs=1e-15)


def test_ranks_are_taken_within_each_pairs_common_models():
    table = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, 6], "b": [1.0, 2, 4, 3, np.nan, np.nan]})
    table.loc[6] = [2.5, np.nan]  # has no b, and must not move the ranks of a among those that have
    ranked_too_early = table.rank().corr("pearson").loc["a", "b"]
    assert spearman_matrix(table, min_models=3).rho.loc["a", "b"] == pytest.approx(0.8, abs=1e-12)
    assert abs(ranked_too_early - 0.8) > 0.01


def test_untested_pairs_are_listed_and_left_out_of_bonferroni_and_mean():
    table = make_table(30, 3)
    table["flat"] = 0.5
    table["rare"] = np.where(np.arange(30) < 9, np.arange(30.0), np.nan)
    result = spearman_matrix(table)
    listed = {(row.first, row.second): (row.n_models, row.reason) for row in result.untested.itertuples()}
    assert listed == {
        **{(f"m{j}", "flat"): (30, "constant") for j in range(3)},
        **{(f"m{j}", "rare"): (9, "too few models") for j in range(3)},
        ("flat", "flat"): (30, "constant"),
        ("flat", "rare"): (9, "too few models"),
        ("rare", "rare"): (9, "too few models"),
    }
    assert result.n_tests == 3
    plain = spearman_matrix(table[["m0", "m1", "m2"]])
    assert result.mean == plain.mean
    expected = np.minimum(1, 3 * plain.p_value.to_numpy())
    np.fill_diagonal(expected, np.nan)
    np.testing.assert_array_equal(result.p_bonferroni.iloc[:3, :3], expected)
    boot = bootstrap_spearman(table, 20, seed=0)
    assert boot.low["rare"].isna().all()
    assert np.isfinite(boot.samples[:, 0, 4]).any()  # kept as pandas has them, but not used
    assert boot.mean.value == pytest.approx(plain.mean, abs=1e-15)


def test_metrics_without_a_common_model_are_untested():
    table = make_table(24, 2)
    table.iloc[:12, 0] = np.nan
    table.iloc[12:, 1] = np.nan
    assert np.isnan(spearman_matrix(table).mean)
    result = bootstrap_spearman(table, 10, seed=0)
    assert np.isnan([result.mean.value, result.mean.low, result.mean.high]).all()
    assert result.n_defined.loc["m0", "m1"] == 0


def grade_correlation(r: float) -> float:
    """Spearman's ρ of a bivariate normal population with correlation r."""
    return 6 / np.pi * np.arcsin(r / 2)


def test_interval_covers_the_true_correlation():
    rng = np.random.default_rng(0)
    covered = []
    for seed in range(200):
        table = pd.DataFrame(rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=60))
        result = bootstrap_spearman(table, 400, seed=seed)
        covered.append(result.low.iat[0, 1] <= grade_correlation(0.5) <= result.high.iat[0, 1])
    assert 0.90 <= np.mean(covered) <= 0.99


def test_only_whole_families_cover_where_models_are_near_copies():
    rng = np.random.default_rng(0)
    families = np.repeat(np.arange(30), 6)
    covered = {"models": [], "families": []}
    for seed in range(100):
        centres = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=30)
        table = pd.DataFrame(centres[families] + 0.1 * rng.normal(size=(180, 2)))
        for name, groups in (("models", None), ("families", families)):
            result = bootstrap_spearman(table, 200, groups=groups, seed=seed)
            covered[name].append(result.low.iat[0, 1] <= grade_correlation(0.5 / 1.01) <= result.high.iat[0, 1])
    assert np.mean(covered["families"]) >= 0.87
    assert np.mean(covered["models"]) < 0.7


# ---------------------------------------------------------------------------------------------- overall scores


@pytest.mark.parametrize("method", ["mean", "z", "rank"])
def test_one_metric_decides_alone(method):
    table = make_table(20, 1)
    assert (aggregate(table, method).rank() == table["m0"].rank()).all()


def test_aggregates_equal_their_definitions():
    table = make_table(digits=1)
    pd.testing.assert_series_equal(aggregate(table, "mean"), table.mean(axis=1), check_names=False)
    pd.testing.assert_series_equal(aggregate(table, "rank"), table.rank().mean(axis=1), check_names=False)
    expected = pd.Series(stats.zscore(table.to_numpy()).mean(axis=1), table.index)
    pd.testing.assert_series_equal(aggregate(table, "z"), expected, check_names=False)


def test_aggregation_identities():
    table = make_table(digits=1)
    assert aggregate(table, "z").mean() == pytest.approx(0, abs=1e-12)
    assert aggregate(table, "rank").mean() == pytest.approx((len(table) + 1) / 2)
    stretched = table * [1, 5, 0.1, 3, 100] + [0, -4, 2, 1, 9]
    np.testing.assert_allclose(aggregate(stretched, "z"), aggregate(table, "z"), rtol=0, atol=1e-10)
    np.testing.assert_allclose(aggregate(-table, "rank"), len(table) + 1 - aggregate(table, "rank"), rtol=0, atol=1e-12)
    for method in ("mean", "z", "rank"):
        flat = aggregate(table, method, tree=list(table.columns))
        pd.testing.assert_series_equal(flat, aggregate(table, method))


def test_hierarchy_averages_level_by_level():
    table = make_table()
    m = table.to_dict("series")
    texture = (m["m1"] + m["m2"]) / 2
    v1 = (m["m0"] + texture) / 2
    neural = (v1 + m["m3"]) / 2
    expected = {"overall": (neural + m["m4"]) / 2, "neural": neural, "V1": v1, "texture": texture, "IT": m["m3"]}
    result = hierarchical_mean(table, TREE)
    pd.testing.assert_frame_equal(result, pd.DataFrame({**expected, "behaviour": m["m4"]}))
    np.testing.assert_allclose(aggregate(table, "mean", tree=TREE), result["overall"], rtol=0, atol=1e-12)


def test_a_balanced_hierarchy_is_the_mean_over_leaves():
    table = make_table(20, 4)
    overall = hierarchical_mean(table, {"a": ["m0", "m2"], "b": ["m3", "m1"]})["overall"]
    np.testing.assert_allclose(overall, table.mean(axis=1), rtol=0, atol=1e-12)


def test_a_group_may_be_called_like_its_only_metric():
    table = make_table(5, 2)
    nodes = hierarchical_mean(table, {"m0": ["m0"], "m1": ["m1"]})
    pd.testing.assert_frame_equal(nodes[["m0", "m1"]], table)


def test_a_gap_reaches_its_ancestors_and_is_no_zero():
    table = make_table(3)
    table.loc["model0", "m1"] = np.nan
    missing = hierarchical_mean(table, TREE).isna()
    assert missing.loc["model0"].to_dict() == {
        "overall": True, "neural": True, "V1": True, "texture": True, "IT": False, "behaviour": False,
    }  # fmt: skip
    assert not missing.iloc[1:].any(axis=None)


def test_explained_variance_is_the_squared_pearson_correlation():
    rng = np.random.default_rng(0)
    neural, behaviour = rng.normal(size=200), 3 * rng.normal(size=200)
    total = neural + behaviour
    assert explained_variance(total, behaviour) == pytest.approx(stats.pearsonr(total, behaviour)[0] ** 2, abs=1e-12)
    assert explained_variance(total, 5 - 2 * total) == pytest.approx(1, abs=1e-12)
    part, whole = pd.Series(neural), pd.Series(total)
    assert explained_variance(whole, part.sample(frac=1, random_state=0)) == explained_variance(whole, part)


def test_explained_variance_of_independent_parts_adds_up():
    parts = np.linalg.qr(np.c_[np.ones(50), np.random.default_rng(0).normal(size=(50, 3))])[0][:, 1:]
    shares = [explained_variance(parts @ [1, 2, 3], part) for part in parts.T]
    np.testing.assert_allclose(shares, np.array([1, 4, 9]) / 14, rtol=0, atol=1e-12)


def test_rank_changes():
    table = make_table()
    before, after = aggregate(table, "mean"), aggregate(table, "rank")
    changes = rank_changes(before, after, more_than=3)
    assert changes["before"].tolist() == sorted(changes["before"])
    assert changes["before"].iloc[0] == 1
    assert changes.index[0] == before.idxmax()
    assert (changes["moved"] == (changes["change"].abs() > 3)).all()
    reverse = rank_changes(after, before)["change"]
    pd.testing.assert_series_equal(reverse.sort_index(), -changes["change"].sort_index())
    assert not rank_changes(before, 2 * before + 1)["change"].any()
    assert rank_changes(before, before.sample(frac=1, random_state=0))["change"].eq(0).all()


def test_equal_scores_share_the_better_place():
    changes = rank_changes(pd.Series([3.0, 2, 2, 1]), pd.Series([1.0, 2, 3, 4]))
    assert changes["before"].tolist() == [1, 2, 2, 4]


def test_min_max_keeps_order_and_gaps():
    table = make_table(missing=0.2)
    scaled = min_max(table)
    assert scaled.min().eq(0).all()
    assert scaled.max().eq(1).all()
    pd.testing.assert_frame_equal(scaled.rank(), table.rank())


@pytest.mark.parametrize("resample", ["metrics", "models"])
@pytest.mark.parametrize("method", ["mean", "z", "rank"])
def test_top_share_is_one_for_the_best_everywhere_and_fills_k_places(method, resample):
    table = make_table(20)
    table.iloc[3] = table.max() + 1
    share = top_share(table, method, k=3, resample=resample, n_resamples=50, seed=0)
    assert share.iloc[3] == 1
    assert share.between(0, 1).all()
    assert share.sum() >= 3 - 1e-9
    assert top_share(table, method, k=99, resample=resample, n_resamples=5, seed=0).eq(1).all()


def test_top_share_over_metrics_counts_the_draws():
    """Two metrics that disagree: {m0, m0}, {m0, m1}, {m1, m1} come with probability 1/4, 1/2, 1/4."""
    table = pd.DataFrame({"m0": [1.0, 0, 0.4], "m1": [0, 1.0, 0.4]}, index=["a", "b", "c"])
    share = top_share(table, "mean", k=1, resample="metrics", n_resamples=4000, seed=0)
    np.testing.assert_allclose(share, [0.75, 0.75, 0], rtol=0, atol=0.03)  # a and b tie when both metrics are drawn


def test_top_share_resamples_within_each_list_of_the_tree():
    """A part with a single metric keeps its weight in every resample."""
    table = pd.DataFrame({"x": [0.0, 0, 0], "y": [0.0, 0.1, 0.2], "z": [9.0, 5, 1]}, index=["a", "b", "c"])
    share = top_share(
        table, "mean", k=1, resample="metrics", n_resamples=100, seed=0, tree={"p": ["x", "y"], "q": ["z"]}
    )
    assert share.tolist() == [1, 0, 0]


def test_top_share_over_models_equals_the_definition():
    table = make_table(12, 4, digits=0)
    values, rng, wins = table.to_numpy(), np.random.default_rng(7), np.zeros(12)
    for _ in range(30):
        drawn = values[rng.integers(12, size=12)]
        below = (values[:, None] > drawn).sum(axis=1) + ((values[:, None] == drawn).sum(axis=1) + 1) / 2
        overall = below.mean(axis=1)
        wins += overall >= np.sort(overall)[-2]
    share = top_share(table, "rank", k=2, resample="models", n_resamples=30, seed=7)
    np.testing.assert_allclose(share, wins / 30, rtol=0, atol=1e-12)


# ---------------------------------------------------------------------------------------------- dimensions


@pytest.mark.parametrize("n_factors", [1, 3])
def test_spectrum_finds_the_independent_factors(n_factors):
    rng = np.random.default_rng(0)
    factors = np.repeat(rng.normal(size=(150, n_factors)), 5, axis=1)
    table = pd.DataFrame(factors + 0.5 * rng.normal(size=factors.shape))
    spectrum = eigenvalue_spectrum(table, 100, seed=0)
    assert spectrum.n_dimensions == n_factors
    assert spectrum.eigenvalues.sum() == pytest.approx(5 * n_factors)
    assert (np.diff(spectrum.eigenvalues) <= 0).all()


def test_spectrum_of_noise_is_the_floor():
    rng = np.random.default_rng(1)
    found = [eigenvalue_spectrum(pd.DataFrame(rng.normal(size=(80, 8))), 60, seed=s).n_dimensions for s in range(40)]
    assert np.mean(np.array(found) > 0) <= 0.15  # 0.05 expected


def test_spectrum_is_that_of_the_spearman_matrix():
    table = make_table(digits=1)
    spectrum = eigenvalue_spectrum(table.assign(m1=np.exp(table["m1"])), 20, seed=0)
    expected = np.linalg.eigvalsh(spearman_matrix(table).rho)[::-1]
    np.testing.assert_allclose(spectrum.eigenvalues, expected, rtol=0, atol=1e-10)


# ---------------------------------------------------------------------------------------------- bad input

GOOD = make_table()
GAPPED = make_table(missing=0.2)
FLAT = GOOD.assign(m1=1.0)
SERIES = GOOD["m0"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spearman_matrix(GOOD.to_numpy()), "'table' must be a DataFrame .* got ndarray"),
        (lambda: spearman_matrix(GOOD.assign(m1="X")), "'table' must hold numbers, got .* in 'm1'"),
        (lambda: spearman_matrix(GOOD.replace(GOOD.iat[0, 0], np.inf)), "'table' must be finite .* got 1 infinite"),
        (lambda: spearman_matrix(GOOD[["m0"]]), "'table' must have .* at least 2 metrics, got shape"),
        (lambda: spearman_matrix(GOOD[:0]), "'table' must have models .* got shape"),
        (lambda: spearman_matrix(GOOD[["m0", "m1", "m0"]]), "'table' must name a metric once, got 'm0' again"),
        (lambda: spearman_matrix(GOOD, min_models=2), "'min_models' must be an integer of at least 3, got 2"),
        (lambda: spearman_matrix(GOOD, min_models=5.0), "'min_models' must be an integer of at least 3, got 5.0"),
        (lambda: bootstrap_spearman(GOOD, 0, seed=0), "'n_resamples' must be an integer of at least 1, got 0"),
        (lambda: bootstrap_spearman(GOOD, True, seed=0), "'n_resamples' must be an integer of at least 1, got True"),
        (lambda: bootstrap_spearman(GOOD, 9, seed=0, level=1), "'level' must lie between 0 and 1, got 1"),
        (lambda: bootstrap_spearman(GOOD, 9, seed=0, groups=["a"]), "'groups' must name .* each of 40 models, got 1"),
        (lambda: bootstrap_spearman(GOOD, 9, seed=0, groups=["a"] * 40), "'groups' .* at least 2 families, got 1"),
        (lambda: bootstrap_spearman(GOOD, 9, seed=0, groups=["a"] * 39 + [None]), "'groups' .* got 1 without one"),
        (lambda: bootstrap_spearman(GOOD, 9, seed=0, groups=SERIES[::-1]), "'groups' must have the table's index"),
        (lambda: block_means(bootstrap_spearman(GOOD, 2, seed=0), {"m0": "a"}), "'groups' must name .* none for 'm1'"),
        (lambda: aggregate(GOOD, "median"), "'method' must be one of 'mean', 'z', 'rank', got 'median'"),
        (lambda: aggregate(GAPPED, "mean"), r"'table' must have no missing score, got \d+ in \d+ models"),
        (lambda: aggregate(FLAT, "z"), "'table' must vary in every metric, got a constant 'm1'"),
        (lambda: aggregate(GOOD, "mean", tree=["m0"]), "'tree' must name exactly the metrics"),
        (lambda: hierarchical_mean(GOOD, {"a": list(GOOD), "b": ["m9"]}), "'tree' must name exactly .* 'm9'"),
        (
            lambda: hierarchical_mean(GOOD, {"a": list(GOOD), "b": ["m1"]}),
            "'tree' must name each metric once .* 'm1' again",
        ),
        (
            lambda: hierarchical_mean(GOOD, {"overall": list(GOOD)}),
            "'tree' must .* each node once, got 'overall' again",
        ),
        (
            lambda: hierarchical_mean(GOOD, {"a": list(GOOD), "b": []}),
            r"'tree' must have a metric in every node, got \[\]",
        ),
        (lambda: hierarchical_mean(GOOD, {"a": "m0"}), "'tree' must nest mappings and lists of metrics, got 'm0'"),
        (lambda: explained_variance(SERIES, SERIES[1:]), "'total' and 'part' must be of the same models"),
        (lambda: explained_variance([1, 2], [1, 2]), "'total' must have at least 3 models, got 2"),
        (lambda: explained_variance([1, 2, np.nan], [1, 2, 3]), "'total' must be finite, got 1 missing"),
        (lambda: explained_variance([1, 2, 3], [4, 4, 4]), "'part' must vary over models, got 4.0"),
        (lambda: rank_changes(SERIES, SERIES.set_axis(range(40))), "'before' and 'after' must be of the same models"),
        (lambda: rank_changes(SERIES, SERIES, more_than=-1), "'more_than' must be an integer of at least 0, got -1"),
        (lambda: min_max(FLAT), "'scores' must vary within every column, got a span of 0"),
        (lambda: top_share(GOOD, "mean", resample="rows", seed=0), "'resample' must be one of 'metrics', 'models'"),
        (lambda: top_share(GOOD, "mean", resample="metrics", seed=0, k=0), "'k' must be an integer of at least 1"),
        (lambda: eigenvalue_spectrum(GAPPED, seed=0), "'table' must have no missing score"),
        (lambda: eigenvalue_spectrum(FLAT, seed=0), "'table' must vary in every metric, got a constant 'm1'"),
        (lambda: eigenvalue_spectrum(GOOD, seed=0, quantile=0.0), "'quantile' must lie between 0 and 1, got 0.0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()

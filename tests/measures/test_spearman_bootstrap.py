"""Bootstrap of Spearman matrices: pandas on every resample, families, percentiles, coverage."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import aggregate, block_means, bootstrap_spearman, spearman_matrix
from analysis.measures import _resampled_ranks


def resampled(table: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    return table.iloc[np.repeat(np.arange(len(table)), counts)]


@pytest.mark.parametrize("transform", [np.exp, lambda x: 3 * x - 7, lambda x: x**3, lambda x: 1 / (1 + np.exp(-x))])
def test_monotone_transforms_of_a_metric_change_nothing(make_table, transform):
    table = make_table(missing=0.3, digits=1)
    changed = table.assign(m2=transform(table["m2"]))
    pd.testing.assert_frame_equal(spearman_matrix(changed).rho, spearman_matrix(table).rho)
    before, after = (bootstrap_spearman(each, 20, seed=3) for each in (table, changed))
    np.testing.assert_array_equal(after.samples, before.samples)
    pd.testing.assert_series_equal(aggregate(changed.dropna(), "rank"), aggregate(table.dropna(), "rank"))


def test_reversing_a_metric_flips_its_signs(make_table):
    table = make_table(missing=0.2, digits=1)
    plain, reversed_ = (bootstrap_spearman(each, 20, seed=3) for each in (table, table.assign(m2=-table["m2"])))
    sign = np.where(table.columns == "m2", -1, 1)
    np.testing.assert_array_equal(reversed_.samples, plain.samples * np.outer(sign, sign))


def test_same_seed_same_resamples_and_no_global_state(make_table):
    table = make_table()
    np.random.seed(0)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (bootstrap_spearman(table, 30, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert not np.array_equal(first.counts, other.counts)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize(("threads", "batch"), [(1, 1), (3, 1 << 10), (7, 1 << 30)])
def test_threads_and_batches_change_nothing(make_table, monkeypatch, threads, batch):
    table = make_table(missing=0.3)
    expected = bootstrap_spearman(table, 1001, seed=0).samples
    monkeypatch.setattr(_resampled_ranks, "cpu_count", lambda: threads)
    monkeypatch.setattr(_resampled_ranks, "_BATCH", batch)
    n_resamples = 13 if batch == 1 else 1001
    np.testing.assert_array_equal(bootstrap_spearman(table, n_resamples, seed=0).samples, expected[:n_resamples])


def test_families_are_drawn_whole(make_table):
    table = make_table(30)
    families = pd.Series(np.repeat(list("abcdef"), 5), table.index)
    counts = bootstrap_spearman(table, 200, groups=families, seed=0).counts.reshape(200, 6, 5)
    assert (counts == counts[:, :, :1]).all()
    assert (counts[:, :, 0].sum(axis=1) == 6).all()


def test_families_of_one_are_single_models(make_table):
    table = make_table(missing=0.2)
    alone = bootstrap_spearman(table, 20, groups=list(range(len(table))), seed=5)
    np.testing.assert_array_equal(alone.samples, bootstrap_spearman(table, 20, seed=5).samples)


@pytest.mark.parametrize("digits", [6, 0])
@pytest.mark.parametrize("missing", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("grouped", [False, True])
def test_resamples_equal_pandas(make_table, missing, digits, grouped):
    table = make_table(50, 6, missing=missing, digits=digits)
    table["constant"] = 1.0
    families = [i // 7 for i in range(50)] if grouped else None
    result = bootstrap_spearman(table, 25, groups=families, seed=1)
    for counts, sample in zip(result.counts, result.samples, strict=True):
        np.testing.assert_allclose(sample, resampled(table, counts).corr("spearman"), rtol=0, atol=1e-6)


@pytest.mark.parametrize("n_models", [2, 3, 369, 370, 900])
def test_resamples_equal_pandas_from_few_models_to_where_single_precision_ends(make_table, n_models):
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


def test_resample_equals_scipy_on_its_own_common_models(make_table):
    table = make_table(60, 4, missing=0.3, digits=1)
    result = bootstrap_spearman(table, 5, seed=1)
    for counts, sample in zip(result.counts, result.samples, strict=True):
        common = resampled(table, counts)[["m0", "m3"]].dropna()
        assert sample[0, 3] == pytest.approx(stats.spearmanr(common["m0"], common["m3"]).statistic, rel=0, abs=1e-10)


def test_intervals_are_the_percentiles_of_the_samples(make_table):
    table = make_table(25, 5, missing=0.55, digits=0, seed=4)
    result = bootstrap_spearman(table, 300, seed=0, min_models=3, level=0.9)
    tested = np.isfinite(result.rho.to_numpy())
    assert 0 < result.n_defined.to_numpy()[tested].min() < 300  # some resamples leave a pair undefined
    low, high = np.nanquantile(result.samples, [0.05, 0.95], axis=0)
    np.testing.assert_allclose(result.low.to_numpy()[tested], low[tested], rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.high.to_numpy()[tested], high[tested], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(result.n_defined, np.isfinite(result.samples).sum(axis=0))


def test_mean_and_block_means_average_the_pairs_of_different_metrics(make_table):
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


def test_untested_pairs_are_listed_and_left_out_of_bonferroni_and_mean(make_table):
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


def test_metrics_without_a_common_model_are_untested(make_table):
    table = make_table(24, 2)
    table.iloc[:12, 0] = np.nan
    table.iloc[12:, 1] = np.nan
    assert np.isnan(spearman_matrix(table).mean)
    result = bootstrap_spearman(table, 10, seed=0)
    assert np.isnan(result.mean.value)
    assert not result.mean.has_interval
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

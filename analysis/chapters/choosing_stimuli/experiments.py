"""The chapter's experiments: features and generators in, tidy tables out. Everything is simulated."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.cache import cache_dir
from analysis.chapters.choosing_stimuli.parameters import MODELS
from analysis.data.images import Images, halves, load_images
from analysis.intervals import Measured, bootstrap_interval, mean_interval, spearman
from analysis.models.activations import record
from analysis.models.zoo import load_zoo
from analysis.recovery.adaptive import Adaptive, adaptive_experiment
from analysis.recovery.adaptive_summaries import Factor, expected_factor, identified, survival, trial_factor
from analysis.recovery.design_batches import choose_triplets
from analysis.recovery.features import normalised
from analysis.recovery.generators import Generators, fit_generators
from analysis.recovery.observers import simulated_observer
from analysis.recovery.triplets import calibrate_temperature, choice_probabilities, draw_triplets

N_FOLDS = 2
CONTRAST = "information"
"""The policy that controls are made with."""
PARTS = {"training only": ("policy", "random"), "test only": ("random", "policy"), "both": ("policy", "policy")}
"""Which triplets a policy chooses: policies for training and test, by what the chapter calls it."""


@dataclass(frozen=True, eq=False)
class Study:
    """Features (n_objects, units) and generators by model, and the images that are the objects."""

    features: dict[str, np.ndarray]
    generators: Generators
    objects: Images

    @property
    def n_training(self) -> int:
        """Training objects of a split."""
        rest = len(self.objects.x) - -(-len(self.objects.x) // N_FOLDS)
        return rest - round(0.3 * rest)


def study_of(parameters) -> Study:
    """Networks of the zoo look at digits that they were not trained on; each is fitted to a simulated observer.

    Features are the last recorded layer but one, every unit of it.
    """
    images, seed = load_images("digits"), parameters.first_seed
    train, held_out = halves(images, seed)
    rows = np.random.default_rng(seed).choice(held_out, parameters.n_objects, replace=False)
    objects = images.subset(np.sort(rows))
    networks = load_zoo(MODELS, images=images, train_indices=train, seed=seed)
    features = {net.name: normalised(record(net.module, objects.x, net.layers[-2]).values.numpy()) for net in networks}
    observer = simulated_observer(
        objects.x[:, 0].numpy(), objects.y.numpy(), parameters.n_answers, ceiling=parameters.ceiling, seed=seed
    )
    generators = fit_generators(
        features, observer.triplets, observer.choices, ceiling=parameters.ceiling, penalties=[parameters.made_with],
        seed=seed, n_jobs=-1, cache=cache_dir() / "recovery",
    )  # fmt: skip
    return Study(features, generators, objects)


def leading_axes(table: np.ndarray, n_axes: int) -> np.ndarray:
    """Scores on the first principal axes, normalised again; at most as many as there are."""
    axes = np.linalg.svd(table, full_matrices=False)[2][: min(n_axes, *table.shape)]
    return normalised(table @ axes.T)


def run(study: Study, parameters, transform: str, ratio: float, **options) -> Adaptive:
    """The adaptive experiment at one number of axes; finished pieces are kept in the cache."""
    n_axes = max(2, round(ratio * study.n_training))
    features = {name: leading_axes(table, n_axes) for name, table in study.features.items()}
    settings = {"train": parameters.train, "test": parameters.test} | options
    return adaptive_experiment(
        features,
        parameters.sizes,
        parameters.n_seeds,
        generators=study.generators,
        ceiling=parameters.ceiling,
        penalties=parameters.penalties,
        transform=transform,
        n_folds=N_FOLDS,
        most=parameters.most,
        seed=parameters.first_seed,
        n_jobs=-1,
        cache=cache_dir() / "choosing",
        **settings,
    )


Cell = tuple[str, float]


def factorial(study: Study, parameters) -> dict[Cell, Adaptive]:
    """The experiment for every transform and every number of axes."""
    cells = [(transform, ratio) for transform in parameters.transforms for ratio in parameters.ratios]
    return {cell: run(study, parameters, *cell) for cell in cells}


def curves(found: Adaptive, criterion: str = "log_likelihood") -> pd.DataFrame:
    """Share identified by mode, policies and trials, mean over generators and splits; the limit has infinite trials."""
    wins = identified(found.table, criterion)
    keys = ["mode", "train", "test", "n_triplets", "n_trials"]
    return wins.groupby(keys, sort=False)[["identified", "chance"]].mean().reset_index()


def design(part: str, policy: str) -> dict[str, str]:
    """Policies for training and test, as `trial_factor` names them."""
    train, test = (policy if who == "policy" else "random" for who in PARTS[part])
    return {"train": train, "test": test}


def factors(cells: dict[Cell, Adaptive], parameters) -> pd.DataFrame:
    """log G of every design: one row a transform, ratio, mode, part and policy, with what the nearest rival predicts.

    ``criterion`` says what finds the model: test triplets, or (for training triplets) the prediction of the next batch.
    """
    rows = []
    for (transform, ratio), found in cells.items():
        by_test, by_batch = identified(found.table), identified(found.table, "predicted")
        for mode in ("refitted", "frozen"):
            for part, policy in _designs(parameters):
                use = by_batch if part == "training only" else by_test
                ends = "last" if part == "training only" else "limit"
                factor = trial_factor(use, mode=mode, ends=ends, **design(part, policy))
                chosen = "train" if part == "training only" else "test"
                expected = expected_factor(found.designs, mode=mode, part=chosen, policy=policy)
                rows.append({"transform": transform, "axes / objects": ratio, "mode": mode, "part": part,
                             "policy": policy, "log G": factor.log_g.value, "low": factor.log_g.low,
                             "high": factor.log_g.high, "never": factor.never, "expected": expected})  # fmt: skip
    return pd.DataFrame(rows)


def _designs(parameters):
    policies = {"training only": parameters.train[1:], "test only": parameters.test[1:], "both": parameters.test[1:]}
    return [(part, policy) for part in PARTS for policy in policies[part]]


def factor_of(found: Adaptive, mode: str, part: str, policy: str) -> Factor:
    """The factor of one design, by test triplets; for training triplets alone by the prediction of the next batch."""
    batch = part == "training only"
    wins = identified(found.table, "predicted" if batch else "log_likelihood")
    return trial_factor(wins, mode=mode, ends="last" if batch else "limit", **design(part, policy))


def on_random_tests(cells: dict[Cell, Adaptive], parameters, transform: str) -> pd.DataFrame:
    """What chosen *training* triplets do for a test on random ones, transforms refitted: one row a ratio and policy.

    The prediction of the next batch is a test on chosen triplets before it is a fit to them; here nothing but the fit
    differs between designs. ``G`` is a factor, ``low`` and ``high`` are its interval.
    """
    rows = []
    for (name, ratio), found in cells.items():
        for policy in parameters.train[1:] if name == transform else ():
            wins = identified(found.table)
            factor = trial_factor(wins, mode="refitted", train=policy, test="random").factor
            rows.append({"axes / objects": ratio, "policy": policy, "G": factor.value, "low": factor.low,
                         "high": factor.high})  # fmt: skip
    return pd.DataFrame(rows)


def survivals(cells: dict[Cell, Adaptive], parameters) -> pd.DataFrame:
    """What the refit leaves of each advantage: one row a transform, ratio, part and policy."""
    rows = []
    for (transform, ratio), found in cells.items():
        for part, policy in _designs(parameters):
            left = survival(*(factor_of(found, mode, part, policy) for mode in ("refitted", "frozen")))
            rows.append({"transform": transform, "axes / objects": ratio, "part": part, "policy": policy,
                         "survival": left.value, "low": left.low, "high": left.high})  # fmt: skip
    return pd.DataFrame(rows)


def asymptotes(cells: dict[Cell, Adaptive]) -> pd.DataFrame:
    """Recovery from infinitely many answers to the training triplets of the last round, tested on all test triplets."""
    tables = []
    for (transform, ratio), found in cells.items():
        wins = identified(found.table, "everywhere")
        end = wins[np.isinf(wins["n_triplets"]) & (wins["mode"] == "refitted") & (wins["test"] == "random")]
        tables.append(end.assign(transform=transform, ratio=ratio))
    return pd.concat(tables, ignore_index=True)


def lifted(ends: pd.DataFrame, transform: str, ratio: float, policy: str) -> Measured:
    """How much a training policy raises the asymptote over random triplets, over generators."""
    rows = ends[(ends["transform"] == transform) & (ends["ratio"] == ratio)]
    by_policy = rows.pivot_table("identified", "generator", "train", aggfunc="mean")
    return over_generators(by_policy[policy] - by_policy["random"])


def highest_lift(ends: pd.DataFrame, transform: str, ratio: float) -> Measured:
    """The largest of all training policies' lifts; which one it is, is found anew in every resample of generators."""
    rows = ends[(ends["transform"] == transform) & (ends["ratio"] == ratio)]
    by_policy = rows.pivot_table("identified", "generator", "train", aggfunc="mean")
    lifts = by_policy.drop(columns="random").sub(by_policy["random"], axis=0).to_numpy()
    return bootstrap_interval(lambda drawn: lifts[drawn].mean(axis=0).max(), np.arange(len(lifts)), over="generators")


def over_generators(values: pd.Series) -> Measured:
    """Mean with its bootstrap interval over generators."""
    return bootstrap_interval(np.mean, np.asarray(values, dtype=float), over="generators")


def ceilings(found: Adaptive) -> pd.DataFrame:
    """Mean of the generators' largest probability on the test triplets so far, by test policy, split and round."""
    rows = found.designs[np.isfinite(found.designs["n_triplets"]) & (found.designs["mode"] == "refitted")]
    return rows[rows["train"] == "random"].reset_index(drop=True)


def last_round(table: pd.DataFrame) -> pd.DataFrame:
    """The rows after all triplets have been shown."""
    return table[table["n_triplets"] == table["n_triplets"].max()]


def ceiling_gain(table: pd.DataFrame, policy: str) -> Measured:
    """How much surer the generators are on test triplets of a policy than on random ones, over splits.

    Generators of one split see the same pool, so it is splits that were sampled.
    """
    mean = last_round(table).pivot_table("test_ceiling", "split", "test", aggfunc="mean")
    return mean_interval((mean[policy] - mean["random"]).to_numpy(), over="splits")


def lift_of_answers(found: Adaptive) -> Measured:
    """A lift that is there: random training triplets, from the seed batch to infinitely many answers to all of them."""
    wins = identified(found.table, "everywhere")
    wins = wins[(wins["mode"] == "refitted") & (wins["train"] == "random") & (wins["test"] == "random")]
    by_size = wins.pivot_table("identified", "generator", "n_triplets", aggfunc="mean")
    return over_generators(by_size.iloc[:, -1] - by_size.iloc[:, 0])


def difference(one: Factor, other: Factor) -> Measured:
    """Of two logarithms, in the same resamples of generators."""
    value = one.log_g.value - other.log_g.value
    return Measured.from_draws(value, one.draws - other.draws, "bootstrap over generators")


def predicted_order(table: pd.DataFrame) -> Measured:
    """Rank correlation over designs of the measured log G with what the nearest rival predicts."""
    known = table[table["never"] != "both"]
    return bootstrap_interval(spearman, known["expected"].to_numpy(), known["log G"].to_numpy(), over="designs")


def half_reports(study: Study, parameters, transform: str, ratio: float) -> Adaptive:
    """One half of the models chooses, the other half (with the generator) is reported on."""
    options = {"choosers": "half", "train": ["random"], "test": ["random", CONTRAST]}
    found = run(study, parameters, transform, ratio, **options)
    return Adaptive(found.table[~found.table["chose"]], found.designs)


def truth_left_out(study: Study, parameters, transform: str, ratio: float) -> pd.DataFrame:
    """The generator neither chooses nor takes part: how often does the candidate that is nearest in the limit win?

    One row a test policy, generator, split and round: ``nearest`` (1 or 0), ``n_trials``. The nearest is the one of
    highest likelihood from infinitely many answers, on all test triplets of the random design.
    """
    options = {"choosers": "others", "train": ["random"], "test": ["random", CONTRAST]}
    table = run(study, parameters, transform, ratio, **options).table
    table = table[(table["mode"] == "refitted") & (table["generator"] != table["candidate"])]
    limit = table[np.isinf(table["n_triplets"]) & (table["test"] == "random")]
    nearest = limit.loc[limit.groupby(["generator", "split"]).everywhere.idxmax()]
    nearest = nearest.set_index(["generator", "split"])["candidate"]
    rounds = table[np.isfinite(table["n_triplets"])]
    won = rounds.loc[rounds.groupby(["test", "generator", "split", "n_triplets"]).log_likelihood.idxmax()]
    right = nearest.loc[pd.MultiIndex.from_frame(won[["generator", "split"]])].to_numpy() == won["candidate"].to_numpy()
    return won.assign(nearest=right.astype(float))[["test", "generator", "split", "n_trials", "nearest"]]


def gain_without_truth(table: pd.DataFrame) -> Measured:
    """How much more often the nearest candidate wins on chosen than on random test triplets, over generators."""
    mean = table.pivot_table("nearest", "generator", "test", aggfunc="mean")
    return over_generators(mean[CONTRAST] - mean["random"])


def plain_predictions(
    features: dict[str, np.ndarray], *, ceiling: float, seed: int, n: int = 2000
) -> tuple[np.ndarray, np.ndarray]:
    """Random triplets of all objects, and what each model's features as they are predict of them, at the ceiling."""
    triplets = draw_triplets(len(next(iter(features.values()))), n, [seed, 7])
    predicted = []
    for table in features.values():
        similarity = table @ table.T
        temperature = calibrate_temperature(similarity, triplets, ceiling)
        predicted.append(choice_probabilities(similarity, triplets, temperature))
    return triplets, np.stack(predicted)


def first_of_each(
    triplets: np.ndarray, predicted: np.ndarray, policies: list[str], n: int, seed: int
) -> dict[str, np.ndarray]:
    """The first triplets that each policy shows, by policy."""
    return {policy: triplets[choose_triplets(predicted, triplets, n, policy, seed=seed)] for policy in policies}


def first_shown(study: Study, parameters, n: int = 4) -> dict[str, np.ndarray]:
    """The first triplets that each policy shows, by policy, from the predictions of features as they are."""
    seed = parameters.first_seed
    triplets, predicted = plain_predictions(study.features, ceiling=parameters.ceiling, seed=seed)
    return first_of_each(triplets, predicted, parameters.test, n, seed)

"""The chapter's experiments: features and answers in, tidy tables out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import joblib
import numpy as np
import pandas as pd
import torch

from analysis.cache import cache_dir
from analysis.chapters.recovery_curve.parameters import MODELS, row_names, row_numbers
from analysis.data.digits import DIGITS_SIZE
from analysis.data.images import Images, halves, load_images
from analysis.intervals import (
    Measured,
    bootstrap_interval,
    mean_interval,
    mean_share_interval,
    percentile_bounds,
    spearman,
)
from analysis.models.activations import record
from analysis.models.extraction import MAX_UNITS
from analysis.models.preprocessing import Grey
from analysis.models.study import shown, some
from analysis.models.study import study_of as recorded_study
from analysis.models.zoo import load_zoo
from analysis.progress import steps
from analysis.recovery.asymptote import asymptotic_recovery, at_penalty, margins_at_limit, recovery_asymptote
from analysis.recovery.experiment import Recovery, recovery_experiment
from analysis.recovery.features import normalised
from analysis.recovery.generators import TOLERANCE, Generators, fit_generators
from analysis.recovery.observers import Observer, load_features, simulated_observer
from analysis.recovery.people import others_answer
from analysis.recovery.planning import planned_recovery
from analysis.recovery.probes import fit_probes
from analysis.recovery.summaries import confusion_matrix
from analysis.recovery.trials import load_answers
from analysis.recovery.triplets import choice_probabilities
from analysis.runs.verdicts import Limits

Features = dict[str, np.ndarray]
LIMIT_TOLERANCE = 1e-6
"""Of the fits in the limit, in nats; winners that it leaves open are counted."""
EARLY = 1e-3
"""Tolerance of fits that are stopped early, in nats."""
FLEXIBILITY = ("zero-shot", "diagonal", "low-rank", "full", "full, few axes")
PENALTY_PATH = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
PREDICTORS = ("candidate's shift", "generator's shift", "candidate's dimensionality", "generator's dimensionality")


@dataclass(frozen=True, eq=False)
class Study:
    """What an experiment starts from.

    `features` has one array (n_objects, units) a model, `observer` the answers about these objects, `models` one row a
    model (family, training, layer, units). `objects` are the pictures, grey of shape (height, width) or RGB of shape
    (height, width, 3); None where they are not known.
    """

    features: Features
    observer: Observer
    models: pd.DataFrame
    objects: Sequence[np.ndarray] | None

    @property
    def simulated(self) -> bool:
        """Whether the observer is simulated, and so known."""
        return self.observer.similarity is not None

    @property
    def n_objects(self) -> int:
        """Objects that triplets are drawn from."""
        return len(next(iter(self.features.values())))

    @property
    def target(self) -> str:
        """What geometries are compared with, see `convergence`."""
        return "simulated observer" if self.simulated else "mean of the other fitted models"


def study_of(parameters) -> Study:
    """The study that a chapter's `Parameters` describe."""
    if parameters.features != "zoo":
        return own_study(parameters.features, parameters.triplets)
    if parameters.models != "zoo":
        return lineup_study(parameters)
    return zoo_study(
        load_images(parameters.images),
        MODELS,
        parameters.n_objects,
        pooled=parameters.pooled,
        seed=parameters.first_seed,
        triplets=parameters.triplets,
        **_observer_options(parameters, parameters.n_objects),
    )


def _observer_options(parameters, n_objects: int) -> dict:
    """Options of `simulated_observer`, but for the seed; few objects have few different triplets."""
    weights = {name: getattr(parameters, name) for name in ("pixels", "classes", "strokes")}
    return {"n_triplets": min(parameters.n_answers, comb(n_objects, 3)), "ceiling": parameters.ceiling, **weights}


def zoo_study(
    images: Images, models: Sequence[str], n_objects: int, *, pooled: bool, seed: int, triplets: str, **observer
) -> Study:
    """Networks of the zoo look at images that they were not trained on; someone has answered triplets of these.

    Features are the last recorded layer but one, every unit of it; or, `pooled`, the last one averaged over space.
    `triplets` is ``"simulated"`` or a file of answers; `observer` is passed to `simulated_observer`.
    """
    train, held_out = halves(images, seed)
    if n_objects > len(held_out):
        raise ValueError(f"'n_objects' must be at most {len(held_out)}, the images held out, got {n_objects}.")
    rows = np.random.default_rng(seed).choice(held_out, n_objects, replace=False)
    objects = images.subset(np.sort(rows))
    networks = load_zoo(models, images=images, train_indices=train, seed=seed)
    layers = {net.name: net.layers[-1 if pooled or len(net.layers) < 2 else -2] for net in networks}
    pool = "mean" if pooled else None
    seen = {net.name: record(net.module, objects.x, layers[net.name], pool=pool).values.numpy() for net in networks}
    table = pd.DataFrame(
        [[net.name, net.family, net.training, layers[net.name], seen[net.name].shape[1]] for net in networks],
        columns=["model", "family", "training", "layer", "units"],
    ).set_index("model")
    if triplets == "simulated":
        answers = simulated_observer(objects.x[:, 0].numpy(), objects.y.numpy(), seed=seed, **observer)
    else:
        answers = load_answers(triplets, row_numbers(n_objects))
    pictures = list(objects.x[:, 0].numpy())
    return Study({name: normalised(values) for name, values in seen.items()}, answers, table, pictures)


def lineup_study(parameters) -> Study:
    """Models of a line-up look at pictures, as many as are asked for; to a file of answers, all pictures are objects.

    Features are the last recorded layer, every unit of it (a sample of `MAX_UNITS` beyond that many) or, `pooled`,
    averaged over space or tokens. The simulated observer sees the pictures in grey, `DIGITS_SIZE` pixels wide; it has
    no use for classes where no two pictures share one, or all do.
    """
    simulated, seed = parameters.triplets == "simulated", parameters.first_seed
    at_most = parameters.n_objects if simulated else None
    pool = "mean" if parameters.pooled else "none"
    seen = recorded_study(parameters.models, parameters.images, pool=pool, at_most=at_most, seed=seed)
    n_stimuli = len(seen.stimuli)
    rows = some(n_stimuli, at_most or n_stimuli, seed)  # a folder of activations has its own pictures
    features = {name: normalised(table) for name, table in seen.last(rows).items()}
    described = {"layer": [list(seen.layers[name])[-1] for name in seen.names]}
    table = seen.models.assign(**described, units=[table.shape[1] for table in features.values()])
    if parameters.rank > table["units"].min():
        raise ValueError(
            f"'rank' must be at most {table['units'].min()}, the units of the narrowest model, got {parameters.rank}."
        )
    pictures = shown(seen, parameters.images, rows)
    if not simulated:
        return Study(features, load_answers(parameters.triplets, seen.stimuli), table, pictures)
    labels = np.unique([seen.labels[row] for row in rows], return_inverse=True)[1]
    observer = _observer_options(parameters, len(rows))
    if labels.max() in (0, len(labels) - 1):
        observer["classes"] = 0.0
    grey = Grey(DIGITS_SIZE)(pictures)[:, 0].numpy()
    return Study(features, simulated_observer(grey, labels, seed=seed, **observer), table, pictures)


FEWEST_REPEATED = 100
"""Answers to triplets that others answered too, below which they say too little of the noise."""
_CEILINGS = (0.35, 0.99)  # between a guess and certainty, where temperatures exist


def calibrated(parameters, study: Study):
    """The parameters, with the ceiling of the study's own people where enough of their answers repeat."""
    if study.simulated:
        return parameters
    credit = others_answer(study.observer)
    known = credit[np.isfinite(credit)]
    if len(known) < FEWEST_REPEATED:
        return parameters
    return parameters.model_copy(update={"ceiling": float(known.mean().clip(*_CEILINGS).round(3))})


def told_features(parameters) -> str:
    """What the features of a study are, in words."""
    if parameters.features != "zoo":
        return "those of the files"
    layer = "last recorded layer" if parameters.pooled or parameters.models != "zoo" else "last recorded layer but one"
    pooled = "averaged over space or tokens" if parameters.pooled else "every unit of it"
    sampled = f", or a sample of {MAX_UNITS:,}" if parameters.models != "zoo" and not parameters.pooled else ""
    return f"the {layer} of each model, {pooled}{sampled}"


def own_study(folder: str, triplets: str) -> Study:
    """Features and human answers from the user's files; a model's family is its name up to the first dash."""
    features = {name: normalised(table) for name, table in load_features(folder).items()}
    n_objects = len(next(iter(features.values())))
    rows = [[name, name.split("-")[0], "unknown", "unknown", table.shape[1]] for name, table in features.items()]
    table = pd.DataFrame(rows, columns=["model", "family", "training", "layer", "units"]).set_index("model")
    return Study(features, load_answers(triplets, row_names(folder, n_objects)), table, None)


def leading_axes(table: np.ndarray, n_axes: int) -> np.ndarray:
    """Scores on the first principal axes, normalised again."""
    axes = np.linalg.svd(table, full_matrices=False)[2][:n_axes]
    return normalised(table @ axes.T)


def recover_study(
    study: Study, parameters, sizes: Sequence[int], n_seeds: int, *, features: Features | None = None, **options
) -> Recovery:
    """The recovery experiment on a study; finished pieces are kept in the cache."""
    return recover(features or study.features, study.observer, parameters, sizes, n_seeds, **options)


def recover(features: Features, observer: Observer, parameters, sizes: Sequence[int], n_seeds: int, **options):
    """The recovery experiment on features and an observer, in parallel; finished pieces are kept in the cache."""
    return recovery_experiment(
        features,
        sizes,
        n_seeds,
        observer_triplets=observer.triplets,
        observer_choices=observer.choices,
        ceiling=parameters.ceiling,
        penalties=parameters.penalties,
        n_folds=parameters.n_folds,
        seed=parameters.first_seed,
        n_jobs=-1,
        cache=cache_dir() / "recovery",
        **options,
    )


def limit_of(study: Study, parameters, n_seeds: int, *, features: Features | None = None, **options) -> pd.DataFrame:
    """Where the recovery curve of a study ends, see `recovery_asymptote`; finished pieces are kept in the cache."""
    if "generators" not in options:
        options |= {"observer_triplets": study.observer.triplets, "observer_choices": study.observer.choices}
    return recovery_asymptote(
        features or study.features,
        n_seeds,
        ceiling=parameters.ceiling,
        seed=parameters.first_seed,
        n_jobs=-1,
        cache=cache_dir() / "recovery",
        **{"penalties": parameters.penalties, "n_folds": parameters.n_folds, "tolerance": LIMIT_TOLERANCE} | options,
    )


def training_objects(n_objects: int, n_folds: int) -> int:
    """Objects that triplets for fitting are drawn from in one fold, the smallest where folds differ."""
    rest = n_objects - -(-n_objects // n_folds)
    return rest - round(0.3 * rest)


def generators_of(study: Study, parameters, **options) -> Generators:
    """Generators of a study, made as `options` say; kept in the cache."""
    return fit_generators(
        study.features,
        study.observer.triplets,
        study.observer.choices,
        ceiling=parameters.ceiling,
        seed=parameters.first_seed,
        n_jobs=-1,
        cache=cache_dir() / "recovery",
        **{"penalties": parameters.penalties, "n_folds": parameters.n_folds} | options,
    )


PLAIN = {"transform": "zero-shot"}
"""How generators are made that are their features as they are."""


def ways_to_make(parameters) -> dict[str, dict]:
    """Options of `fit_generators` by what they amount to."""
    fixed = {f"λ = {penalty:g}": {"penalties": [penalty]} for penalty in sorted(parameters.made_with, reverse=True)}
    return {"features as they are": PLAIN} | fixed


def limit_as_they_are(study: Study, parameters) -> pd.DataFrame:
    """The limit of generators that are their features as they are, as `made_in_ways` computes it too."""
    return limit_of(study, parameters, 1, generators=generators_of(study, parameters, **PLAIN))


def made_in_ways(study: Study, parameters, n_seeds: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What becomes of recovery in the limit when generators are made otherwise: by simulation, and by way.

    The first table has one row a way, generator and seed (`margins_at_limit` by accuracy). The second has one row a
    way: ``recovery`` in the limit by accuracy and ``by likelihood``, each with the number of winners that the solver
    leaves ``open``; how much ``alike`` the generators are, how like the ``observer``, and how like their own features
    (``kept``; mean correlations of similarities); their ``shift``; the ``favourite`` and how many it ``takes``.
    """
    wins, ways = [], []
    for way, options in ways_to_make(parameters).items():
        made = generators_of(study, parameters, **options)
        limit = limit_of(study, parameters, n_seeds, generators=made)
        won = margins_at_limit(at_penalty(limit))
        wins.append(won.assign(made=way))
        ways.append({"made": way, **_end(limit), **likeness_of(study, made), **_favourite(won)})
    return pd.concat(wins, ignore_index=True), pd.DataFrame(ways)


def _end(limit: pd.DataFrame) -> dict:
    ends = asymptotic_recovery(limit).query("penalty == 'chosen'").set_index("criterion")
    return {
        "recovery": ends.recovery["accuracy"],
        "by likelihood": ends.recovery["likelihood"],
        "open": int((ends.n_simulations - ends.n_resolved)["accuracy"]),
        "margin": ends.margin["accuracy"],
    }


def _favourite(won: pd.DataFrame) -> dict:
    counts = won["winner"].value_counts()
    return {"favourite": counts.index[0], "takes": counts.iloc[0] / counts.sum()}


def likeness_of(study: Study, made: Generators) -> dict[str, float]:
    """Mean correlations of the generators' similarities: with each other, the observer, and their own features."""
    pairs = {name: _pairs(similarity) for name, similarity in made.similarities.items()}
    alike = np.corrcoef(np.stack(list(pairs.values())))[np.triu_indices(len(pairs), 1)]
    observer = np.nan
    if study.simulated:
        seen = _pairs(study.observer.similarity)
        observer = float(np.mean([np.corrcoef(values, seen)[0, 1] for values in pairs.values()]))
    plain = {name: _pairs(table @ table.T) for name, table in study.features.items()}
    kept = np.mean([np.corrcoef(pairs[name], plain[name])[0, 1] for name in pairs])
    return {"alike": float(alike.mean()), "observer": observer, "kept": float(kept),
            "shift": float(made.table["geometry_shift"].mean())}  # fmt: skip


def pairwise_likeness(made: Generators) -> np.ndarray:
    """Correlation of the similarities of each pair of generators."""
    pairs = np.stack([_pairs(similarity) for similarity in made.similarities.values()])
    return np.corrcoef(pairs)[np.triu_indices(len(pairs), 1)]


def averaged(parameters) -> Study:
    """The same study with the last layer averaged over space; a study of the user's own stays as it is."""
    return study_of(parameters.model_copy(update={"pooled": True}))


def by_likelihood(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the geometric mean of the test answers' probabilities as what candidates are ranked by."""
    return table.assign(test_accuracy=np.exp(table["log_likelihood"]))


def own_wins(won: pd.DataFrame) -> pd.Series:
    """Share of each generator's simulations that it wins itself, of those that are resolved."""
    ranked = won[won["resolved"]]
    return (ranked["winner"] == ranked["generator"]).groupby(ranked["generator"]).mean()


def saved_by_model(table: pd.DataFrame) -> pd.Series:
    """Recovery by likelihood minus recovery by accuracy, mean over numbers of triplets, by model."""
    sizes = sorted(set(table["n_triplets"]))
    gains = [by_generator(by_likelihood(table), size) - by_generator(table, size) for size in sizes]
    return sum(gains) / len(gains)


def trials_saved(table: pd.DataFrame) -> Measured:
    """Recovery by likelihood minus recovery by accuracy, mean over numbers of triplets, over models."""
    return over_models(saved_by_model(table))


def gains_of_few_axes(study: Study, parameters, levels: pd.DataFrame, limit: pd.Series) -> pd.Series:
    """What few axes gain at the number of triplets of `levels` minus what they gain in the limit, by model.

    `limit` is the recovery in the limit with all axes, by model.
    """
    features = {model: leading_axes(table, parameters.rank) for model, table in study.features.items()}
    few = own_wins(margins_at_limit(at_penalty(limit_of(study, parameters, 1, features=features))))
    return differences(levels, "recovery", FLEXIBILITY[4], "full") - (few - limit)


def gains_of_stopping_early(study: Study, parameters, size: int) -> pd.Series:
    """Recovery with fits stopped early minus recovery with the usual ones, by model; one seed."""
    early, usual = (recover_study(study, parameters, [size], 1, tolerance=end) for end in (EARLY, TOLERANCE))
    return by_generator(early.table, size) - by_generator(usual.table, size)


def gains_of_scaling(study: Study, parameters, size: int) -> pd.Series:
    """Recovery with features ten times as large and as small, mean of both, minus that of unit length; one seed."""
    shares = []
    for factor in (0.1, 10.0, 1.0):
        features = {model: np.float32(factor) * table for model, table in study.features.items()}
        shares.append(by_generator(recover_study(study, parameters, [size], 1, features=features).table, size))
    return (shares[0] + shares[1]) / 2 - shares[2]


def error_of_a_lead(study: Study, found: Recovery, parameters, size: int) -> pd.DataFrame:
    """How far a lead in accuracy moves by chance: over seeds, and by the formula √(d/n); one row a pair of models.

    d, the share of the observer's triplets on which exactly one of the two fitted models is right, stands for that of
    the test triplets; `spread` is the standard deviation over seeds of the candidates' lead, mean over generators.
    """
    triplets, choices = study.observer.triplets, study.observer.choices
    right = {name: choice_probabilities(whole, triplets).argmax(axis=1) == choices
             for name, whole in found.similarities.items()}  # fmt: skip
    wide = found.table[found.table["n_triplets"] == size].pivot_table(
        "test_accuracy", ["generator", "seed"], "candidate", sort=False
    )
    n_tested = parameters.n_folds * max(1, size // 8)
    rows = []
    for first, second in combinations(right, 2):
        spread = (wide[first] - wide[second]).groupby(level="generator", sort=False).std(ddof=1).mean()
        formula = np.sqrt((right[first] != right[second]).mean() / n_tested)
        rows.append({"first": first, "second": second, "spread": spread, "formula": formula})
    return pd.DataFrame(rows)


def objects_or_trials(study: Study, parameters, transforms: Sequence[str], shares: Sequence[float]) -> pd.DataFrame:
    """`planned_recovery` at one budget of answers, for several shares of the objects."""
    numbers = [max(30, round(share * study.n_objects)) for share in shares]
    return planned_recovery(
        study.features,
        parameters.budget,
        n_objects=numbers,
        transforms=transforms,
        rank=parameters.rank,
        penalty=min(parameters.made_with),
        observer_triplets=study.observer.triplets,
        observer_choices=study.observer.choices,
        ceiling=parameters.ceiling,
        penalties=parameters.penalties,
        n_seeds=parameters.n_seeds,
        n_folds=parameters.n_folds,
        seed=parameters.first_seed,
        n_jobs=-1,
        cache=cache_dir() / "recovery",
    )


def calibration(found: Recovery, study: Study) -> pd.DataFrame:
    """Largest choice probability on every triplet of the observer, before and after calibration, one row each."""
    tables = []
    for name, similarity in found.similarities.items():
        temperatures = {"before": 1.0, "after": found.generators.loc[name, "temperature"]}
        for when, temperature in temperatures.items():
            largest = choice_probabilities(similarity, study.observer.triplets, temperature).max(axis=1)
            tables.append(pd.DataFrame({"model": name, "calibration": when, "largest probability": largest}))
    return pd.concat(tables, ignore_index=True)


def by_generator(table: pd.DataFrame, n_triplets: int) -> pd.Series:
    """Share of each generator's simulations that it wins itself, by model."""
    won = confusion_matrix(table, n_triplets)
    return pd.Series({name: won.loc[name, name] for name in won.index}, name="recovery")


def halfway_size(curve: pd.DataFrame) -> int:
    """The number of triplets with recovery nearest to halfway between chance and 1, the larger of equals.

    There are hits and mistakes to look at, where the largest number may leave no mistakes and the smallest only noise.
    """
    away = (curve["recovery"] - (1 + curve["chance"]) / 2).abs()
    return int(curve["n_triplets"][away <= away.min() + 1e-12].max())


def over_models(values: Sequence[float]) -> Measured:
    """Mean with Student's interval over models: the bootstrap's is too narrow for six, and takes noise for effects."""
    return mean_interval(np.asarray(values, dtype=float), over="models")


def share_over_models(values: Sequence[float]) -> Measured:
    """Mean of shares with its interval over models, which has a width even where all are 0 or all are 1."""
    return mean_share_interval(np.asarray(values, dtype=float), over="models")


def false_winners(table: pd.DataFrame, n_triplets: int) -> pd.DataFrame:
    """Who takes the simulations that the true model loses: one row a candidate, the most frequent first.

    ``taken`` is its share of the lost simulations, ``even`` its share if every candidate took as many of the lost ones
    that it did not generate itself. Both are 0 if nothing is lost.
    """
    won = confusion_matrix(table, n_triplets)
    won = won[list(won.index)]
    false = won.mask(np.eye(len(won), dtype=bool), 0.0)
    lost = false.sum(axis=1)
    total = max(lost.sum(), 1e-12)
    shares = pd.DataFrame({"taken": false.sum() / total, "even": (lost.sum() - lost) / (len(lost) - 1) / total})
    return shares.rename_axis("candidate").sort_values("taken", ascending=False, kind="stable")


def systematic_winner(table: pd.DataFrame, n_triplets: int) -> Measured:
    """Share of the lost simulations that the most frequent false winner takes, beyond an even share: 0 = no favourite.

    The winner is chosen on all other seeds, its share taken on the one left out, so that choosing does not inflate it.
    Seeds in which nothing is lost say nothing and are left out.
    """
    at_size = table[table["n_triplets"] == n_triplets]
    excess = []
    for seed in sorted(set(at_size["seed"])):
        others = at_size[at_size["seed"] != seed]
        shares = false_winners(at_size[at_size["seed"] == seed], n_triplets)
        if len(others) and shares["taken"].any():
            favourite = false_winners(others, n_triplets).index[0]
            excess.append(shares.loc[favourite, "taken"] - shares.loc[favourite, "even"])
    return mean_interval(np.array(excess or [np.nan]))


def convergence(study: Study, found: Recovery) -> pd.DataFrame:
    """How alike each model's geometry and the observer's are, before and after the fit to the observer.

    Alike: Pearson's correlation of similarities over pairs of objects, 1 = the same geometry up to scale and offset. A
    simulated observer's similarity is known; for people the mean of the other models' fitted similarities stands in.
    """
    fitted = {name: _pairs(similarity) for name, similarity in found.similarities.items()}
    rows = []
    for name, table in study.features.items():
        if study.simulated:
            target = _pairs(study.observer.similarity)
        else:
            target = np.mean([_scaled(pairs) for other, pairs in fitted.items() if other != name], axis=0)
        before, after = (np.corrcoef(target, pairs)[0, 1] for pairs in (_pairs(table @ table.T), fitted[name]))
        rows.append({"model": name, "before": before, "after": after, "gain": after - before})
    return pd.DataFrame(rows)


def _pairs(similarity: np.ndarray) -> np.ndarray:
    return similarity[np.triu_indices(len(similarity), 1)]


def _scaled(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


def spearman_interval(x: Sequence[float], y: Sequence[float]) -> Measured:
    """Spearman's ρ with its bootstrap interval over models."""
    return bootstrap_interval(spearman, np.asarray(x), np.asarray(y), over="models")


def predictions(
    study: Study, settings: Mapping[str, dict], penalties: Sequence[float], *, n_folds: int, seed: int
) -> pd.DataFrame:
    """Accuracy on the observer's answers about unseen objects: one row a setting, model, fold and penalty.

    In each fold a part of the objects is held out; triplets that straddle the parts are not used. A setting is a
    dictionary of options for `fit_probes`; its entry `n_axes` keeps that many principal axes of the features.
    """
    order = np.random.default_rng([seed, 1]).permutation(len(next(iter(study.features.values()))))
    folds = np.array_split(order, n_folds)
    jobs = [(setting, model, fold) for setting in settings for model in study.features for fold in range(n_folds)]
    calls = (
        joblib.delayed(_predicted)(study.features[model], study.observer, folds[fold], settings[setting], penalties)
        for setting, model, fold in jobs
    )
    parallel = joblib.Parallel(n_jobs=-1, return_as="generator")
    found = steps(parallel(calls), "predicting the observer", len(jobs))
    rows = [
        {"setting": setting, "model": model, "fold": fold, "penalty": penalty, "accuracy": accuracy}
        for (setting, model, fold), accuracies in zip(jobs, found, strict=True)
        for penalty, accuracy in zip(penalties, accuracies, strict=True)
    ]
    return pd.DataFrame(rows)


def _predicted(table, observer: Observer, test_objects, setting: dict, penalties) -> list[float]:
    torch.set_num_threads(1)
    options = {key: value for key, value in setting.items() if key != "n_axes"}
    table = _prepared(table, setting)
    tested = np.isin(observer.triplets, test_objects).sum(axis=1)
    train, test = ((observer.triplets[tested == n], observer.choices[tested == n]) for n in (0, 3))
    if len(train[0]) == 0 or len(test[0]) == 0:
        raise ValueError(f"'triplets' must leave some within each part of the objects, got {len(observer.triplets)}.")
    probes = fit_probes([table], [train], penalties=penalties, tolerance=TOLERANCE, **options)[0][0]
    return [_accuracy(probe.similarity(table), *test) for probe in probes]


def _accuracy(similarity: np.ndarray, triplets: np.ndarray, choices: np.ndarray) -> float:
    """Share of answers that were the most likely; equally likely ones share the credit."""
    chance = choice_probabilities(similarity, triplets)
    best = np.isclose(chance, chance.max(axis=1, keepdims=True), rtol=0, atol=1e-9)
    return float((best[np.arange(len(choices)), choices] / best.sum(axis=1)).mean())


def at_best_penalty(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by setting and model, each fold with the penalty that the *other* folds prefer."""
    rows = []
    for (setting, model), part in table.groupby(["setting", "model"], sort=False):
        grid = part.pivot_table("accuracy", "fold", "penalty")
        chosen = [grid.loc[fold, grid.drop(index=fold).mean().idxmax()] for fold in grid.index]
        rows.append({"setting": setting, "model": model, "accuracy": float(np.mean(chosen))})
    return pd.DataFrame(rows)


def flexibility_settings(rank: int) -> dict[str, dict]:
    """Options of `fit_probes` for every level of flexibility; `rank` columns, or axes."""
    settings = {name: {"transform": name} for name in FLEXIBILITY[:4]}
    settings["low-rank"]["rank"] = rank
    return settings | {FLEXIBILITY[4]: {"transform": "full", "n_axes": rank}}


def flexibility(study: Study, parameters, size: int, n_seeds: int) -> pd.DataFrame:
    """Predictive accuracy and recovery for every level of flexibility, one row a level and model.

    Generators and candidates have the same flexibility. Recovery is at one number of triplets.
    """
    settings = flexibility_settings(parameters.rank)
    predicted = predictions(
        study, settings, parameters.penalties, n_folds=parameters.n_folds, seed=parameters.first_seed
    )
    won = []
    for name, setting in settings.items():
        fit = {key: value for key, value in setting.items() if key != "n_axes"}
        features = {model: _prepared(table, setting) for model, table in study.features.items()}
        found = recover_study(study, parameters, [size], n_seeds, features=features, widen=False, **fit)
        own = by_generator(found.table, size).rename_axis("model").reset_index()
        won.append(own.assign(setting=name))
    return at_best_penalty(predicted).merge(pd.concat(won), on=["setting", "model"])


def _prepared(table: np.ndarray, setting: dict) -> np.ndarray:
    return leading_axes(table, setting["n_axes"]) if "n_axes" in setting else table


def differences(table: pd.DataFrame, column: str, first: str, second: str) -> pd.Series:
    """First − second, by model."""
    wide = table.pivot(index="model", columns="setting", values=column)
    return wide[first] - wide[second]


def contrast(table: pd.DataFrame, column: str, first: str, second: str) -> Measured:
    """Mean of first − second over models, with its interval."""
    return over_models(differences(table, column, first, second))


def penalty_path(study: Study, penalties: Sequence[float] = PENALTY_PATH, *, n_folds: int, seed: int) -> pd.DataFrame:
    """Accuracy on unseen objects against λ for ridge and shrinkage, with the features as they are for comparison."""
    settings = {kind: {"regularizer": kind} for kind in ("shrinkage", "ridge")}
    fitted = predictions(study, settings, penalties, n_folds=n_folds, seed=seed)
    plain = predictions(study, {"zero-shot": {"transform": "zero-shot"}}, [1.0], n_folds=n_folds, seed=seed)
    table = pd.concat([fitted, plain], ignore_index=True)
    return table.groupby(["setting", "model", "penalty"], sort=False)["accuracy"].mean().reset_index()


def strongest_minus_plain_by_model(path: pd.DataFrame, regularizer: str) -> pd.Series:
    """Accuracy under the strongest penalty minus zero-shot accuracy, by model."""
    rows = path[path["setting"] == regularizer]
    strongest = rows[rows["penalty"] == rows["penalty"].max()].set_index("model")["accuracy"]
    return strongest - path[path["setting"] == "zero-shot"].set_index("model")["accuracy"]


def strongest_minus_plain(path: pd.DataFrame, regularizer: str) -> Measured:
    """Accuracy under the strongest penalty minus zero-shot accuracy, over models."""
    return over_models(strongest_minus_plain_by_model(path, regularizer))


def fewer_candidates(table: pd.DataFrame, n_triplets: int) -> pd.DataFrame:
    """Recovery with the true model and k − 1 of the others, exactly averaged over all choices of them.

    One row a generator and k, from the accuracies of one experiment: nothing is fitted again.
    """
    at_size = table[table["n_triplets"] == n_triplets]
    rows = []
    for (generator, seed), part in at_size.groupby(["generator", "seed"], sort=False):
        accuracy = part.set_index("candidate")["test_accuracy"]
        gap = accuracy.drop(generator) - accuracy[generator]
        worse, tied, others = int((gap < -1e-12).sum()), int((gap.abs() <= 1e-12).sum()), len(gap)
        for k in range(2, others + 2):
            ways = sum(comb(worse, k - 1 - j) * comb(tied, j) / (1 + j) for j in range(min(tied, k - 1) + 1))
            rows.append({"generator": generator, "seed": seed, "k": k, "recovery": ways / comb(others, k - 1)})
    return pd.DataFrame(rows).groupby(["generator", "k"], sort=False)["recovery"].mean().reset_index()


def _all_and_half(fewer: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    wide = fewer.pivot(index="generator", columns="k", values="recovery")
    return wide[wide.columns.max()], wide[max(2, wide.columns.max() // 2)]


def all_against_half(fewer: pd.DataFrame) -> Measured:
    """Recovery among all candidates minus recovery among random halves of them, over models."""
    among_all, among_half = _all_and_half(fewer)
    return over_models(among_all - among_half)


def limits_of_halves(fewer: pd.DataFrame) -> Limits:
    """The scale of what `all_against_half` compares: with every model always recovered there is nothing to compare."""
    return Limits(0, 1, [recovery.mean() for recovery in _all_and_half(fewer)])


def within_groups(table: pd.DataFrame, models: pd.DataFrame, column: str, n_triplets: int) -> pd.DataFrame:
    """Recovery among candidates of one group, beside random candidates as many; groups of one are left out."""
    random = fewer_candidates(table, n_triplets).set_index(["generator", "k"])["recovery"]
    rows = []
    for group, members in models.groupby(column, sort=False):
        names = list(members.index)
        inside = table[table["generator"].isin(names) & table["candidate"].isin(names)]
        size = len(names)
        if size > 1:
            rows += [
                {"group": group, "k": size, "generator": name, "recovery": share, "random": random[name, size]}
                for name, share in by_generator(inside, n_triplets).items()
            ]
    return pd.DataFrame(rows, columns=["group", "k", "generator", "recovery", "random"])


def margins(found: Recovery, n_triplets: int) -> pd.DataFrame:
    """Own accuracy minus a candidate's, averaged over seeds, with what the two models are like; one row a pair."""
    at_size = found.table[found.table["n_triplets"] == n_triplets]
    mean = at_size.pivot_table("test_accuracy", "generator", "candidate", sort=False)
    properties = found.generators[["geometry_shift", "effective_dimensionality"]]
    rows = []
    for generator in mean.index:
        for candidate in mean.columns.drop(generator):
            values = (*properties.loc[[candidate, generator]]["geometry_shift"],
                      *properties.loc[[candidate, generator]]["effective_dimensionality"])  # fmt: skip
            margin = mean.loc[generator, generator] - mean.loc[generator, candidate]
            rows.append([generator, candidate, margin, *values])
    return pd.DataFrame(rows, columns=["generator", "candidate", "margin", *PREDICTORS])


def regression(pairs: pd.DataFrame, *, n_resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Standardised coefficients of the margin on the models' properties, one row a property.

    Intervals come from a bootstrap over models: a pair counts as often as both of its models were drawn. They are
    Bonferroni-corrected: 1 − .05/4 each.
    """
    y, x = _scaled(pairs["margin"]), pairs[list(PREDICTORS)].apply(_scaled)
    names = sorted(set(pairs["generator"]) | set(pairs["candidate"]))
    places = pairs[["generator", "candidate"]].map(names.index).to_numpy()
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n_resamples)
    fits = [_weighted_fit(x.to_numpy(), y.to_numpy(), counts[places].prod(axis=1)) for counts in drawn]
    low, high = percentile_bounds(np.transpose(fits), 1 - 0.05 / len(PREDICTORS))
    beta = _weighted_fit(x.to_numpy(), y.to_numpy(), np.ones(len(pairs)))
    return pd.DataFrame({"property": PREDICTORS, "beta": beta, "low": low, "high": high})


def _weighted_fit(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Least squares with an intercept; NaN where the models drawn are too few to tell the predictors apart."""
    design = np.column_stack([np.ones(len(x)), x]) * np.sqrt(weights)[:, None]
    solution, _, rank, _ = np.linalg.lstsq(design, y * np.sqrt(weights), rcond=1e-8)
    return solution[1:] if rank == design.shape[1] else np.full(x.shape[1], np.nan)


def coefficient(coefficients: pd.DataFrame, name: str, n_models: int) -> Measured:
    """One coefficient of `regression` with its interval."""
    row = coefficients.set_index("property").loc[name]
    if not np.isfinite([row["beta"], row["low"], row["high"]]).all():
        return Measured.without_interval(np.nan, "too few models")
    return Measured(row["beta"], row["low"], row["high"], f"98.75% bootstrap, {n_models} models")


def without_truth(table: pd.DataFrame) -> pd.DataFrame:
    """What a study would see, with the true model among the candidates and without it; one row a generator and size.

    `winner` is the candidate of the highest mean accuracy; `agreement` the share of seeds it wins; `lead` how far it is
    ahead of the runner-up (mean over seeds); `short` how far it is behind the true model's accuracy.
    """
    rows = []
    for (size, generator), part in table.groupby(["n_triplets", "generator"], sort=False):
        wide = part.pivot(index="seed", columns="candidate", values="test_accuracy")
        for truth, among in (("among the candidates", wide), ("left out", wide.drop(columns=generator))):
            winner = among.mean().idxmax()
            rows.append({
                "n_triplets": size, "generator": generator, "true model": truth, "winner": winner,
                "agreement": _win_share(among, winner),
                "lead": (among[winner] - among.drop(columns=winner).max(axis=1)).mean(),
                "short": (wide[generator] - among[winner]).mean(),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _win_share(accuracies: pd.DataFrame, winner: str) -> float:
    best = np.isclose(accuracies.sub(accuracies.max(axis=1), axis=0), 0, rtol=0, atol=1e-12)
    return float((best[:, accuracies.columns.get_loc(winner)] / best.sum(axis=1)).mean())


def nearest_models(similarities: Mapping[str, np.ndarray]) -> pd.Series:
    """For each model, the other one whose fitted similarities correlate most with its own."""
    alike = _likeness(similarities)
    return alike.mask(np.eye(len(alike), dtype=bool)).idxmax()


def nearest_share(found: Recovery, n_triplets: int) -> float:
    """Share of the lost simulations that go to the model nearest to the generator (`nearest_models`)."""
    won = confusion_matrix(found.table, n_triplets)
    nearest = nearest_models(found.similarities)
    to_nearest = sum(won.loc[name, nearest[name]] for name in won.index)
    return to_nearest / max(sum(1 - won.loc[name, name] for name in won.index), 1e-12)


def mutual_likeness(study: Study, found: Recovery) -> tuple[float, float]:
    """Mean correlation of two models' similarities, before and after the fit to the observer."""
    before = {name: table @ table.T for name, table in study.features.items()}
    upper = np.triu_indices(len(before), 1)
    return tuple(float(_likeness(which).to_numpy()[upper].mean()) for which in (before, found.similarities))


def _likeness(similarities: Mapping[str, np.ndarray]) -> pd.DataFrame:
    pairs = np.stack([_pairs(similarity) for similarity in similarities.values()])
    return pd.DataFrame(np.corrcoef(pairs), index=list(similarities), columns=list(similarities))

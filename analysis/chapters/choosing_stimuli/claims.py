"""What we expect, with the rules that judge it. Nobody has published it; committed before any run is judged by them.

Known when these rules were written: theory, and a trial of 12 simulations with generators of penalty 0.01, in which no
policy saved many trials and the triplets that models disagree about were noisier than random ones (.55 against .67).
"""

from analysis.runs.claims import Hypothesis
from analysis.runs.rules import Above, Below

HALF = 0.5  # of an advantage
LIFT = 0.05  # of recovery, that would be worth having

HYPOTHESES = (
    Hypothesis(
        "frozen-policies-save-trials",
        "With transforms frozen, showing what is most informative about the model, in training and test, saves trials "
        "(log G).",
        Above(0),
    ),
    Hypothesis(
        "refit-takes-most",
        "Training triplets that models disagree about lose more than half of their advantage once full transforms are "
        "refitted, with more axes than training objects (survival, log G / log G frozen, by prediction of the next "
        "batch).",
        Below(HALF),
    ),
    Hypothesis(
        "test-triplets-keep-it",
        "Informative test triplets alone save trials although full transforms are refitted (log G).",
        Above(0),
    ),
    Hypothesis(
        "training-choice-lifts-no-asymptote",
        "With more axes than training objects, informative training triplets raise recovery from infinitely many "
        f"answers by less than {LIFT:.0%} (difference, tested everywhere).",
        Below(LIFT),
    ),
    Hypothesis(
        "information-beats-disagreement",
        "Test triplets chosen by information save more trials than those chosen by disagreement (difference of log G).",
        Above(0),
    ),
    Hypothesis(
        "others-profit-too",
        "Test triplets chosen by one half of the models save trials in telling the other half apart (log G).",
        Above(0),
    ),
    Hypothesis(
        "disagreement-finds-noise",
        "The generators' own answers are noisier on test triplets that models disagree about than on random ones "
        "(difference of the ceiling).",
        Below(0),
    ),
    Hypothesis(
        "nearest-rival-predicts",
        "Designs whose chosen triplets keep the nearest rival farther away save more trials (rank correlation over "
        "designs).",
        Above(0),
    ),
    Hypothesis(
        "speaks-without-truth",
        "With the true model left out, informative test triplets make the model that is nearest in the limit win more "
        "often than random ones (difference over all rounds).",
        Above(0),
    ),
)
"""Of the run on digits."""

PUBLIC_HYPOTHESES = (
    Hypothesis(
        "adaptive-labels-beat-fixed",
        "Photographs chosen adaptively identify a network from fewer noisy labels than the ones of lowest agreement in "
        "a fixed order (ImageNet; difference of the share identified, mean over numbers of labels).",
        Above(0),
    ),
    Hypothesis(
        "adaptive-labels-beat-random",
        "And than random photographs (ImageNet; difference).",
        Above(0),
    ),
    Hypothesis(
        "adaptive-labels-beat-fixed-in-the-line-up",
        "Photographs chosen adaptively identify a network of the CIFAR-10 line-up, most of which were trained to be "
        "robust, from fewer noisy labels than the ones of lowest agreement in a fixed order (difference).",
        Above(0),
    ),
    Hypothesis(
        "chosen-triplets-agree-sooner",
        "Of people's answers to the triplets that are most informative about five embeddings as they are, fewer are "
        "needed until the winner is the winner of all answers of other people (difference to random triplets).",
        Above(0),
    ),
    Hypothesis(
        "chosen-triplets-agree-sooner-fitted",
        "The same with diagonal transforms, fitted to other triplets (difference).",
        Above(0),
    ),
    Hypothesis(
        "contested-trials-take-longer",
        "Trials on which the margins of half of the networks spread take people longer, within condition (rank "
        "correlation).",
        Above(0),
    ),
    Hypothesis(
        "contested-by-others-too",
        "They are the ones on which the margins of the other half spread (rank correlation within condition).",
        Above(0),
    ),
)
"""Of the run on real trials and labels. Known when they were written: the files' columns, nothing of the answers."""

_MOST = "full transforms refitted, three axes a training object"
FACTORIAL_HYPOTHESES = (
    Hypothesis(
        "frozen-policies-save-trials",
        "With full transforms frozen, showing what is most informative about the model, in training and test, saves "
        "trials (log G).",
        Above(0),
    ),
    Hypothesis(
        "refit-takes-most",
        "Training triplets that models disagree about lose more than half of their advantage once full transforms are "
        "refitted, with three axes a training object (survival, by prediction of the next batch).",
        Below(HALF),
    ),
    Hypothesis("test-triplets-keep-it", f"Informative test triplets alone save trials (log G; {_MOST}).", Above(0)),
    Hypothesis(
        "no-training-choice-lifts-the-asymptote",
        f"No policy for training triplets raises recovery from infinitely many answers by {LIFT:.0%} (the largest of "
        f"their differences to random triplets, tested everywhere; {_MOST}).",
        Below(LIFT),
    ),
    Hypothesis(
        "few-axes-keep-it",
        "With a third as many axes as training objects, training triplets that models disagree about save trials "
        "although full transforms are refitted (log G, by prediction of the next batch).",
        Above(0),
    ),
    Hypothesis(
        "refit-aware-saves",
        "Training triplets chosen for what a rival cannot explain once it has been refitted save trials (log G, by "
        f"prediction of the next batch; {_MOST}).",
        Above(0),
    ),
    Hypothesis(
        "refit-aware-beats-information",
        "And more than those chosen for information about the models as they are (difference of log G).",
        Above(0),
    ),
    Hypothesis(
        "information-beats-disagreement",
        f"Test triplets chosen by information save more trials than those of disagreement (difference; {_MOST}).",
        Above(0),
    ),
    Hypothesis(
        "nearest-rival-predicts",
        "Designs whose chosen triplets keep the nearest rival farther away save more trials (rank correlation over "
        "all designs).",
        Above(0),
    ),
)
"""Of the run of all designs. Known when they were written: the default run, with a third of the simulations."""

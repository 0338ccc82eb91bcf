"""What the paper claims, with the rules that judge it. Committed before any run is judged by them."""

from analysis.chapters.recovery_curve.reported import BETAS, LARGEST, MORE_CANDIDATES, WITHIN
from analysis.runs.claims import Claim, Hypothesis
from analysis.runs.rules import Above, Below, Between

PAPER = "avitan2025"
MARGIN = 0.02  # what two accuracies may differ by and still be called the same
HELP = 0.05  # a gain in recovery that would be worth having


def _beta(name: str, statement: str, rule, property_name: str) -> Claim:
    return Claim(name, PAPER, statement, "regression over pairs", rule, f"β = {BETAS[property_name]:.3f}")


CLAIMS = (
    Claim(
        "recovery-rises",
        PAPER,
        "The true model wins more often the more triplets there are.",
        "recovery curve",
        Above(0),
        "about 5 % at 1,000 triplets, 70 % at a million",
    ),
    Claim(
        "above-chance",
        PAPER,
        "With the most triplets the true model wins more often than chance.",
        "recovery curve",
        Above(0),
        "70 % at a million triplets; chance 5 %",
    ),
    Claim(
        "not-solved",
        PAPER,
        "Even with the most triplets, fewer than 80 % of the simulations are won by the true model.",
        "recovery curve",
        Below(LARGEST[1]),
        "below 80 % at 4.2 million",
    ),
    Claim(
        "systematic-winner",
        PAPER,
        "One candidate wins more than its share of the simulations that the true model loses.",
        "confusion matrix",
        Above(0),
        "CLIP ResNet-50 wins too often",
    ),
    Claim(
        "geometries-converge",
        PAPER,
        "Fitting moves the models' geometries towards the observer's.",
        "geometry after the fit to human choices",
        Above(0),
        "figure only",
    ),
    Claim(
        "farther-moves-more",
        PAPER,
        "Models that start farther from the observer move more.",
        "geometry after the fit to human choices",
        Below(0),
        "figure only",
    ),
    Claim(
        "flexible-predicts",
        PAPER,
        "A full transform predicts the observer better than the features as they are.",
        "flexibility levels",
        Above(0),
        "full predicts best, zero-shot worst",
    ),
    Claim(
        "flexible-confuses",
        PAPER,
        "A full transform identifies the true model worse than the features as they are.",
        "flexibility levels",
        Below(0),
        "zero-shot identifies best, full worst",
    ),
    Claim(
        "pca-does-not-help",
        PAPER,
        f"Keeping only the leading axes of the features raises recovery by less than {HELP:.0%}.",
        "PCA to 500 dimensions",
        Below(HELP),
        "does not help",
    ),
    Claim(
        "shrinkage-safe",
        PAPER,
        "Under the strongest penalty, shrinkage predicts no worse than the features as they are.",
        "ridge against shrinkage",
        Above(-MARGIN),
        "figure only",
    ),
    Claim(
        "ridge-falls",
        PAPER,
        "Under the strongest penalty, ridge predicts worse than the features as they are.",
        "ridge against shrinkage",
        Below(0),
        "figure only",
    ),
    Claim(
        "more-candidates",
        PAPER,
        "Recovery is lower among all candidates than among random halves of them.",
        f"{MORE_CANDIDATES[0]} candidates",
        Below(0),
        f"about {MORE_CANDIDATES[1]:.0%} with {MORE_CANDIDATES[0]} candidates",
    ),
    Claim(
        "within-family",
        PAPER,
        "Among candidates of one architecture family, the true model wins less than 80 % of the time.",
        "within one architecture class",
        Below(LARGEST[1]),
        f"{WITHIN['family']:.1%}",
    ),
    Claim(
        "within-training",
        PAPER,
        "Among candidates trained in one way, the true model wins less than 80 % of the time.",
        "within one training objective",
        Below(LARGEST[1]),
        f"{WITHIN['training']:.1%}",
    ),
    _beta(
        "candidate-shift",
        "Candidates that the fit moves farther lose by more.",
        Above(0),
        "candidate's shift",
    ),
    _beta(
        "generator-shift",
        "Generators that the fit moves farther win by less.",
        Below(0),
        "generator's shift",
    ),
    _beta(
        "generator-dimensionality",
        "Generators of higher effective dimensionality win by less.",
        Below(0),
        "generator's dimensionality",
    ),
)

THINGS_CLAIMS = tuple(
    claim for claim in CLAIMS if claim.id in {"recovery-rises", "above-chance", "not-solved", "systematic-winner"}
)
"""Claims that the public run can say something about; its candidates are embeddings, not the paper's networks."""

HYPOTHESES = (
    Hypothesis(
        "weak-generators-have-a-ceiling",
        "With more units than training objects and generators of the weakest penalty, fewer than 80 % are recovered "
        "however many answers there are.",
        Below(LARGEST[1]),
    ),
    Hypothesis(
        "penalty-of-generators-decides",
        "In the limit of infinitely many answers, generators of the strongest penalty are recovered more often than "
        "those of the weakest (difference).",
        Above(0),
    ),
    Hypothesis(
        "as-they-are-always",
        "Generators that are their features as they are, are recovered in nine of ten cases or more in the limit.",
        Above(0.9),
    ),
    Hypothesis(
        "triplets-make-them-unreachable",
        "Generators whose penalty is chosen on triplets of the same objects are recovered less often in the limit "
        "than their features as they are (difference).",
        Below(0),
    ),
    Hypothesis(
        "one-similarity",
        "Generators of the weakest penalty are one and the same similarity (mean correlation of two of them).",
        Above(0.95),
    ),
    Hypothesis(
        "averaging-hides-the-ceiling",
        "Averaged over space, fewer units than training objects, generators are recovered more often in the limit than "
        "with every unit (difference).",
        Above(0),
    ),
    Hypothesis(
        "likelihood-saves-trials",
        "The likelihood of the test answers tells the true model more often than accuracy does (difference, mean over "
        "numbers of triplets).",
        Above(0),
    ),
)
"""Ours, from theory and from a trial with one split of 150 objects; `book/reproduction` says what it had shown."""

CAUSES_HYPOTHESES = (
    *(ours for ours in HYPOTHESES if ours.id == "weak-generators-have-a-ceiling"),
    Hypothesis(
        "units-beyond-objects-make-the-ceiling",
        "Generators of the weakest penalty are recovered less often in the limit from features with at least twice as "
        "many units as training objects than from features with at most half as many (difference).",
        Below(0),
    ),
    *(ours for ours in HYPOTHESES if ours.id == "triplets-make-them-unreachable"),
    Hypothesis(
        "objects-keep-them-reachable",
        "Generators whose penalty is chosen on other objects are recovered more often in the limit than those whose "
        "penalty is chosen on other triplets of the same objects (difference).",
        Above(0),
    ),
    Hypothesis(
        "moved-farther-recovered-less",
        "The farther a generator was moved from its features, the less often it is recovered in the limit (rank "
        "correlation over the ways to make it, mean over models).",
        Below(0),
    ),
    Hypothesis(
        "shared-axes-and-few-trials",
        "Keeping few axes helps more with a finite number of triplets than in the limit, where nothing is noise "
        "(gain at the largest number minus gain in the limit).",
        Above(0),
    ),
    *(ours for ours in HYPOTHESES if ours.id == "likelihood-saves-trials"),
    Hypothesis(
        "stopping-early-hurts",
        "Fits that are stopped early (tolerance 1e-3 in place of 7e-5) recover fewer models (difference).",
        Below(0),
    ),
    Hypothesis(
        "scale-of-features-matters",
        "Features ten times as large or as small are recovered less often than those of unit length (difference of the "
        "mean of both).",
        Below(0),
    ),
    Hypothesis(
        "lead-errs-by-its-formula",
        "The standard deviation of a lead in accuracy over repetitions is at least half of √(d/n), d the share of test "
        "triplets on which exactly one of the two is right, n their number (ratio).",
        Above(0.5),
    ),
    Hypothesis(
        "tie-rule-hardly-matters",
        "Of equally good penalties the strongest recovers as many models as the weakest, within 5 % either way "
        "(difference).",
        Between(-0.05, 0.05),
    ),
    Hypothesis(
        "strongest-of-equals-with-few-trials",
        "With the fewest triplets, where validation accuracies tie most, taking the strongest of equally good "
        "penalties recovers more models than taking the weakest (difference).",
        Above(0),
    ),
    Hypothesis(
        "seeds-are-harder-than-families",
        "One network trained from two seeds is told apart less often in the limit than networks of two families "
        "(difference).",
        Below(0),
    ),
    Hypothesis(
        "layers-are-harder-than-families",
        "One layer and the next of a network are told apart less often in the limit than networks of two families "
        "(difference).",
        Below(0),
    ),
    Hypothesis(
        "noise-slows-more-than-it-ends",
        "From the lowest to the highest noise ceiling recovery rises more with a finite number of triplets than in the "
        "limit (difference of the two gains).",
        Above(0),
    ),
)
"""Ours, about the end of the curve and the way there; `book/rules.csv` says what was known before."""

PHOTOGRAPHS_CLAIMS = tuple(
    claim
    for claim in CLAIMS
    if claim.id
    in {
        "recovery-rises",
        "above-chance",
        "not-solved",
        "systematic-winner",
        "candidate-shift",
        "generator-shift",
        "generator-dimensionality",
    }
)
"""Claims that ten published networks on photographs can say something about."""

PHOTOGRAPHS_HYPOTHESES = (
    Hypothesis(
        "limit-below-eighty",
        "With more units than training objects and the generators' penalty chosen on triplets, fewer than 80 % are "
        "recovered however many answers there are.",
        Below(LARGEST[1]),
    ),
    *(ours for ours in HYPOTHESES if ours.id in {"weak-generators-have-a-ceiling", "likelihood-saves-trials"}),
)

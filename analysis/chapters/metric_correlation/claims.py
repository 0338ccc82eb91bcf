"""What the paper claims, with the rules that judge it. Committed before any run is judged by them."""

from dataclasses import replace

from analysis.chapters.metric_correlation.reported import EXPLAINED, MEAN_RHO, RHO_MEAN_RANK, RHO_MEAN_Z
from analysis.runs.claims import Claim, Hypothesis
from analysis.runs.rules import Above, Below, Between

PAPER = "ahlert2024"
LOW = 0.3  # below what Cohen (1988) calls a medium correlation

CLAIMS = (
    Claim(
        "mean-correlation",
        PAPER,
        "The metrics' mean pairwise rank correlation is positive and low.",
        "Section 3 (80 models × 69 metrics)",
        Between(0, LOW),
        f"{MEAN_RHO}; .21 and .17 for the heatmap's sets",
        quantity="mean rank correlation of the metrics",
    ),
    Claim(
        "weak-agreement",
        PAPER,
        "Metrics that are all called alignment do not measure one thing: their mean correlation is far from 1.",
        "title and abstract; the bound is ours",
        Below(0.5),
        f"{MEAN_RHO}",
    ),
    Claim(
        "behaviour-agrees-more",
        PAPER,
        "Behavioural metrics agree more with each other than neural ones do (difference of mean correlations).",
        "heatmap",
        Above(0),
        "figure only",
        quantity="mean correlation within the second part minus within the first",
    ),
    Claim(
        "negative-pairs",
        PAPER,
        "Some neural and behavioural metrics correlate negatively (most negative pair, simultaneous interval).",
        "heatmap",
        Below(0),
        "figure only",
        quantity="most negative pair of the two parts",
    ),
    Claim(
        "behaviour-dominates",
        PAPER,
        "The overall score is mostly behaviour: its part explains more variance than the neural part (difference).",
        "Section 3",
        Above(0),
        f"{EXPLAINED['behaviour']:.2%} against {EXPLAINED['neural']:.2%}",
        quantity="share of the overall score explained by the second part minus by the first",
    ),
    Claim(
        "behaviour-dominates-z",
        PAPER,
        "Behaviour still explains more when all metrics are standardised first (difference).",
        "Section 3",
        Above(0),
        "figure only",
        quantity="the same, metrics standardised first",
    ),
    Claim(
        "ranks-differ",
        PAPER,
        "Averaging ranks orders the models otherwise than averaging scores does (rank correlation of the two orders).",
        "Section 4; the bound is ours",
        Below(0.9),
        f"ρ = {RHO_MEAN_RANK}",
        quantity="rank correlation of mean and mean rank",
    ),
    Claim(
        "ranks-further-than-z",
        PAPER,
        "Mean rank departs further from the arithmetic order than mean z-score does (difference of rank correlations).",
        "Section 4",
        Above(0),
        f"{RHO_MEAN_Z} against {RHO_MEAN_RANK}",
        quantity="how much closer mean z-score stays to the mean than mean rank does",
    ),
    Claim(
        "odd-one-out-apart",
        PAPER,
        "Odd-one-out similarity stands apart: it correlates less with the rest than the rest do with one another.",
        "heatmap",
        Below(0),
        "figure only",
    ),
    Claim(
        "attention-apart",
        PAPER,
        "Human feature alignment (attention maps) stands apart from the rest. No table here has such a metric.",
        "heatmap",
        Below(0),
        "figure only",
    ),
)

PUBLIC_CLAIMS = (
    *CLAIMS,
    Claim(
        "ranks-differ-published",
        PAPER,
        "Averaging ranks orders the models otherwise than the leaderboard's published average does (rank correlation "
        "of the two orders; the other row takes the mean of the leaves).",
        "Section 4, whose arithmetic mean is the published one; the bound is ours",
        Below(0.9),
        f"ρ = {RHO_MEAN_RANK}",
    ),
    Claim(
        "ranks-further-than-z-published",
        PAPER,
        "Mean rank departs further from the published average's order than mean z-score does (difference of rank "
        "correlations).",
        "Section 4",
        Above(0),
        f"{RHO_MEAN_Z} against {RHO_MEAN_RANK}",
    ),
)
"""The published average counts a run that is missing as 0, and averages newer metrics too."""

TABLES = {
    "scaling": "993 networks of a scaling study on 5 benchmarks",
    "deepnsd": "224 networks on human brain responses by 3 metrics",
    "encoding": "40 networks on 14 brain regions",
}
"""The tables beside Brain-Score's, by the beginning of their claims' names."""
TABLES_CLAIMS = tuple(
    Claim(
        f"{name}-mean-correlation",
        PAPER,
        f"The metrics' mean pairwise rank correlation is positive and low: {table}.",
        "Section 3, on another table",
        Between(0, LOW),
        f"{MEAN_RHO}",
    )
    for name, table in TABLES.items()
)
_FALL = "Among the more accurate half of the models, metrics agree less than among all of them (difference of mean ρ)"
_EXCESS = "The fall is larger than the narrower range of accuracies explains (mean ρ minus that of a Gaussian copula)"
TABLES_HYPOTHESES = tuple(
    Hypothesis(f"{name}-{kind}", f"{statement}: {table}.", Below(0))
    for name, table in {
        "scaling": "networks of the scaling study with an ImageNet accuracy",
        "brainscore": "complete models of Brain-Score's leaderboard",
        "deepnsd": "networks on human brain responses",
    }.items()
    for kind, statement in (("fall", _FALL), ("excess", _EXCESS))
)

_NOT_OVER_ZOOS = {"odd-one-out-apart", "attention-apart"}  # of one metric, and of one that no zoo has
ZOOS_CLAIMS = tuple(
    replace(claim, statement=f"Over zoos whose networks, images and observers have other seeds: {claim.statement}")
    for claim in CLAIMS
    if claim.id not in _NOT_OVER_ZOOS
)
"""The chapter's claims, judged by the mean over zoos."""

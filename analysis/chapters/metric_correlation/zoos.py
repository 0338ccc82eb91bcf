"""The chapter's claims measured in one zoo; noise is `null_checks`'."""

from dataclasses import replace

from analysis.chapters.metric_correlation import claims, null_checks
from analysis.chapters.metric_correlation.parameters import Parameters
from analysis.chapters.metric_correlation.zoo_metrics import board_of
from analysis.data.leaderboards import Leaderboard
from analysis.intervals import Measured


def board(seed: int) -> Leaderboard:
    """The table of the zoo of a seed, measured as the chapter does."""
    return board_of(Parameters(seed=seed))


def measured(zoo: Leaderboard) -> dict[str, Measured]:
    """Everything that `claims.ZOOS_CLAIMS` is about, by their names."""
    found = null_checks.measured(zoo)
    return {claim.id: found[claim.id] for claim in claims.ZOOS_CLAIMS}


def shuffled(zoo: Leaderboard, seed: int | tuple[int, ...]) -> Leaderboard:
    """The same table with nothing to find: every metric's scores shuffled over models."""
    return replace(zoo, scores=null_checks.shuffled(zoo.scores, seed))

"""The chapter's figures, drawn from a table with gaps."""

import matplotlib.pyplot as plt

from analysis.chapters.metric_correlation import experiments, figures
from analysis.measures.spearman import spearman_matrix
from analysis.measures.spectrum import eigenvalue_spectrum


def test_every_figure_takes_a_table_with_gaps(board, bootstrap):
    matrix = spearman_matrix(board.scores)
    overall = experiments.overall_scores(board)
    scores = experiments.part_scores(board)
    shares = experiments.explained(scores, n_resamples=20, seed=0)
    stability = experiments.top_stability(board, n_resamples=5, seed=0)
    long = experiments.long_matrix(matrix, bootstrap)
    assert len(long) == 15
    baselines = board.scores.iloc[:2].set_axis(["raw pixels", "total ink"])
    drawn = [
        figures.beside_baselines(experiments.beside_baselines(board, baselines)),
        *figures.fewer_metrics(experiments.fewer_metrics(board, seed=0, n_draws=5)).values(),
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

"""The page's own figure: what is in the table is on the axes."""

import matplotlib.pyplot as plt
import pandas as pd

from analysis.chapters.your_models import figures


def test_recoveries_with_their_intervals_and_chance():
    table = pd.DataFrame({"transform": ["zero-shot", "full"], "recovery": [0.9, 0.6]})
    table = table.assign(low=table["recovery"] - 0.1, high=table["recovery"] + 0.1)
    (axis,) = figures.recoveries(table, 0.25).axes
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["zero-shot", "full"]
    points, chance = axis.lines[0], next(line for line in axis.lines if line.get_label() == "chance")
    assert points.get_ydata().tolist() == [0.9, 0.6]
    assert set(chance.get_ydata()) == {0.25}
    plt.close("all")

"""The measure in its lesson: each method's cells run by themselves and give what a reader finds by hand."""

import ast
import math

import numpy as np
import pytest

from analysis.runs import catalogue, pairs

CHAPTERS = [name for name in catalogue.chapters() if (catalogue.CHAPTERS / name / "claims.py").is_file()]


def method_cells(chapter):
    """The code cells between the headings of the method and of the run."""
    notebook = pairs.notebook_from_text(catalogue.text_half(chapter))
    inside, found = False, []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            headings = [line for line in cell.source.splitlines() if line.startswith("## ")]
            inside = headings[-1] == "## The method" if headings else inside
        elif inside:
            found.append(cell)
    return found


def values(chapter):
    """What the method's cells show: the value of each cell's last expression."""
    names, shown = {}, []
    for cell in method_cells(chapter):
        code = ast.parse(cell.source)
        exec(compile(ast.Module(code.body[:-1], []), chapter, "exec"), names)
        shown.append(eval(compile(ast.Expression(code.body[-1].value), chapter, "eval"), names))
    return shown


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_method_calls_the_public_face_in_the_open(chapter):
    cells = method_cells(chapter)
    assert cells
    assert all("from analysis import " in cell.source for cell in cells[:1])
    assert not any("experiments" in cell.source or cell.metadata.get("tags") for cell in cells)


def test_three_units():
    (match, score), level = values("neuron_correlation")
    by_hand = [1, 1 / 2, 1 / math.sqrt(2)]
    assert match == pytest.approx(by_hand, abs=5e-4)
    assert score == pytest.approx(np.mean(by_hand), abs=5e-4)
    assert level == 3 / 4


def test_five_stimuli():
    ((agreement, kappa, contrastive),) = values("contrastive_stimuli")
    assert agreement == pytest.approx([1, 1, 3 / 6, 2 / 6, 3 / 6], abs=5e-4)
    assert kappa == pytest.approx((2 / 3 - 1 / 2) / (1 - 1 / 2), abs=5e-4)
    assert contrastive.tolist() == [3]


def test_five_triplets():
    ((probabilities, accuracy),) = values("recovery_curve")
    alone, paired = math.e / (math.e + 2), 1 / (math.e + 2)
    by_hand = [[paired, paired, alone]] * 2 + [[alone, paired, paired]] * 2 + [[paired, paired, alone]]
    assert probabilities == pytest.approx(np.array(by_hand), abs=5e-4)
    assert accuracy == {"kinds": 4 / 5, "colours": 1 / 5}


def test_four_models():
    rho, overall = values("metric_correlation")
    assert rho.loc["V1", "IT"] == 1 - 6 * 2 / (4 * (4**2 - 1))
    assert rho.loc["V1", "choice"] == -1
    assert overall["mean"].idxmin() == "D"
    assert overall["mean rank"].sort_values(ascending=False).index.tolist() == ["C", "D", "B", "A"]


def test_six_triplets():
    (scores,) = values("choosing_stimuli")
    assert scores["information"].idxmax() == "both sure, two answers"
    assert scores["information"].max() == pytest.approx(0.463, abs=5e-4)
    assert scores["uncertainty"].idxmax() == "both at a loss"
    assert scores["uncertainty"].max() == pytest.approx(math.log(3), abs=5e-4)
    assert sorted(scores["disagreement"]) == [0, 0, 0, 1, 1, 1]
    assert scores.loc["two answers, by a hair", "information"] == pytest.approx(0, abs=1e-3)

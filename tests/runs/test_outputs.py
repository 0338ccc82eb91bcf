"""What cells display for programs is found in order, and taken out without a trace."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis.runs.outputs import embedded, taken

MINE = "application/vnd.mine+json"


def cell(*bundles):
    return new_code_cell("1", outputs=[new_output("display_data", bundle) for bundle in bundles])


def test_everything_under_a_type_is_found_in_order():
    cells = [cell({MINE: 1}, {"text/plain": "x"}), new_markdown_cell("text"), cell({MINE: 2, "text/plain": "y"})]
    assert embedded(new_notebook(cells=cells), MINE) == [1, 2]
    assert embedded(new_notebook(cells=cells), "other") == []


def test_what_is_taken_is_gone_and_the_rest_stays():
    full = cell({MINE: 1}, {MINE: 2, "text/plain": "y"}, {"text/plain": "z"})
    assert taken(full, MINE) == [1, 2]
    assert [dict(output.data) for output in full.outputs] == [{"text/plain": "y"}, {"text/plain": "z"}]
    assert taken(full, MINE) == []


def test_streams_have_no_types():
    spoken = new_code_cell("1", outputs=[new_output("stream", text="said")])
    assert taken(spoken, MINE) == []
    assert len(spoken.outputs) == 1

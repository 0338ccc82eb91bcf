"""The two halves of a chapter: the same text gives the same bytes, and halves that differ are refused."""

import nbformat
import pytest

from analysis.runs import catalogue, pairs, runner
from analysis.runs.parameters import ParameterError

CHAPTER = "neuron_correlation"
TEXT = """---
jupytext:
  formats: ipynb,md:myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A title

```{code-cell} ipython3
:tags: [parameters]

n: int = 3  # how many
```
"""


@pytest.fixture
def text_half(tmp_path):
    path = tmp_path / "chapter.md"
    path.write_text(TEXT)
    return path


def test_the_same_text_gives_the_same_bytes(text_half):
    path = pairs.write_notebook_half(text_half)
    first = path.read_bytes()
    assert pairs.write_notebook_half(text_half).read_bytes() == first
    notebook = nbformat.reads(first.decode(), as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code"]
    assert notebook.cells[1].metadata.tags == ["parameters"]
    assert notebook.cells[1].outputs == []
    assert len({cell.id for cell in notebook.cells}) == 2


def test_halves_that_agree_are_read_whatever_their_time_stamps(text_half):
    pairs.write_notebook_half(text_half)
    text_half.touch()
    assert pairs.read_pair(text_half).cells[0].source == "# A title"


def test_a_half_that_was_edited_alone_is_refused(text_half):
    pairs.write_notebook_half(text_half)
    text_half.write_text(TEXT.replace("= 3", "= 4"))
    with pytest.raises(ParameterError, match="chapter.md and chapter.ipynb differ"):
        pairs.read_pair(text_half)


def test_halves_that_differ_are_refused(tmp_path, monkeypatch):
    for suffix in (".md", ".ipynb"):
        (tmp_path / f"{CHAPTER}{suffix}").write_bytes((catalogue.BOOK / f"{CHAPTER}{suffix}").read_bytes())
    monkeypatch.setattr(catalogue, "BOOK", tmp_path)
    runner.prepare(CHAPTER)
    text = tmp_path / f"{CHAPTER}.md"
    text.write_text(text.read_text().replace("n_seeds: int = 5", "n_seeds: int = 6"))
    with pytest.raises(ParameterError, match="differ; 'python -m analysis pair neuron_correlation'"):
        runner.prepare(CHAPTER)

"""The book as a zip: all of it, the same bytes for the same book, and nothing where there is no book."""

import zipfile

import pytest
from click.testing import CliRunner

from analysis.__main__ import main
from analysis.runs import offline, publish
from analysis.runs.runner import RunError


@pytest.fixture
def built(tmp_path, monkeypatch):
    html = tmp_path / "html"
    for name in ("index.html", "book/intro.html", "_static/book.js"):
        (html / name).parent.mkdir(parents=True, exist_ok=True)
        (html / name).write_text(name)
    monkeypatch.setattr(publish, "HTML", html)
    return html


def test_the_zip_is_the_book(built, tmp_path):
    result = CliRunner().invoke(main, ["offline", "-o", str(tmp_path / "book.zip")])
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(tmp_path / "book.zip") as packed:
        assert packed.namelist() == ["book/_static/book.js", "book/book/intro.html", "book/index.html"]
        assert packed.read("book/index.html") == b"index.html"


def test_one_book_makes_one_zip(built, tmp_path):
    offline.write(tmp_path / "one.zip")
    (built / "index.html").touch()
    offline.write(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_another_ending_is_refused(built, tmp_path):
    result = CliRunner().invoke(main, ["offline", "-o", str(tmp_path / "book.tar")])
    assert result.exit_code == 2
    assert "must name a file that ends in .zip" in result.output


def test_without_a_book_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "HTML", tmp_path / "none")
    with pytest.raises(RunError, match="There is no book yet: call 'make book' first"):
        offline.write(tmp_path / "book.zip")
    assert not list(tmp_path.iterdir())

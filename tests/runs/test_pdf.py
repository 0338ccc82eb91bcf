"""The book as PDF: what is missing is said in one sentence, and nothing half-written is left."""

import pytest

from analysis.runs import pdf, publish
from analysis.runs.runner import RunError


def test_without_a_browser_one_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(RunError, match="Chromium or Chrome, and none was found"):
        pdf.write(tmp_path / "book.pdf")
    assert not list(tmp_path.iterdir())


def test_without_a_book_one_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: name)
    monkeypatch.setattr(publish, "_STAGE", tmp_path / "stage")
    with pytest.raises(RunError, match="There is no book yet: call 'make book' first"):
        pdf.write(tmp_path / "book.pdf")
    assert not list(tmp_path.iterdir())


def test_a_browser_that_fails_is_quoted(monkeypatch, tmp_path):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho no display >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(pdf.shutil, "which", lambda name: str(broken))
    monkeypatch.setattr(publish, "single_page", lambda folder: folder / "whole.html")
    with pytest.raises(RunError, match="chromium could not print the book:\n\nno display"):
        pdf.write(tmp_path / "book.pdf")
    assert not (tmp_path / "book.pdf").exists()

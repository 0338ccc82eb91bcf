"""One setting decides about every button and clone line; without it there is none, and the pages say how to set it."""

from pathlib import Path

import pytest
import yaml

from analysis.runs.repository import configured, staged
from analysis.sources import ROOT

URL = "https://example.org/someone/their-book"


def config(folder: Path, url: str) -> Path:
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    settings["repository"]["url"] = url
    path = folder / "_config.yml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


@pytest.mark.parametrize("url", ["", None])
def test_unset_nothing_leads_anywhere(tmp_path, url):
    files = staged(config(tmp_path, url))
    settings = yaml.safe_load(files[Path("_config.yml")])
    assert not {"repository", "launch_buttons"} & set(settings)
    assert not [key for key in settings["html"] if key.endswith("_button")]
    assert settings["title"] == yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"]
    pages = [text.decode() for path, text in files.items() if path.suffix == ".md"]
    assert all("Set `repository: url` in `_config.yml`" in text and "https://" not in text for text in pages)


@pytest.mark.parametrize("url", [URL, URL + "/", URL + ".git"])
def test_set_everything_comes_from_it(tmp_path, url):
    files = staged(config(tmp_path, url))
    settings = yaml.safe_load(files[Path("_config.yml")])
    assert settings["repository"]["url"] == url
    assert set(settings["launch_buttons"]) == {"notebook_interface", "binderhub_url", "colab_url"}
    assert settings["html"]["use_repository_button"]
    clone, colab = (files[Path(f"book/generated/{name}.md")].decode() for name in ("clone", "colab"))
    assert f"git clone {url.rstrip('/')}\ncd their-book\n" in clone
    assert f"%pip install --quiet git+{URL}.git\n" in colab


def test_what_is_no_address_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must begin with https:// or be empty, got 'github.com/me'"):
        configured(config(tmp_path, "github.com/me"))


def test_no_source_names_an_address_of_its_own():
    texts = [*(ROOT / "book").rglob("*.md"), ROOT / "README.md", ROOT / "CITATION.cff"]
    assert not [path.name for path in texts if "git clone http" in path.read_text(encoding="utf-8")]

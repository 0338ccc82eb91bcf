"""Sphinx extension: pages load the scripts, and scripts hold the icons, that they use.

Links have previews, and in the table of contents the runs on public data have badges.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from docutils import nodes

from analysis.runs import heads, previews

_ICON = re.compile(r'"?([\w$-]+)"?:\[\d+,\d+,\[([^\]]*)\],"[0-9a-f]+",(?:"[^"]*"|\["[^"]*","[^"]*"\])\],?')
"""An icon in Font Awesome's script: its name, its other names, and its drawing."""


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("html-page-context", _only_used_scripts, priority=900)
    app.connect("html-page-context", _references_are_a_list, priority=900)
    app.connect("html-page-context", _contents_have_badges, priority=900)
    app.connect("build-finished", _only_used_icons)
    app.connect("build-finished", _previews)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _only_used_scripts(app, pagename, templatename, context, doctree) -> None:
    """Without Thebe, which Jupyter Book adds (twice) and no page uses; without MathJax where there is no formula."""
    whole_book = app.builder.name == "singlehtml"
    with_formulas = whole_book or (doctree is not None and any(doctree.findall(_is_formula)))
    unused = ["thebe"] if with_formulas else ["thebe", "mathjax"]
    context["script_files"] = [script for script in context["script_files"] if not _is_one_of(script, unused)]


def _references_are_a_list(app, pagename, templatename, context, doctree) -> None:
    """Sphinx calls references a list of entries that are no list items, which screen readers then skip."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def _contents_have_badges(app, pagename, templatename, context, doctree) -> None:
    if draw := context.get("generate_toctree_html"):
        ran_on = context["ran_on"]
        context["generate_toctree_html"] = lambda *args, **options: heads.badged(
            str(draw(*args, **options)), pagename, ran_on
        )


def _is_formula(node: nodes.Node) -> bool:
    return isinstance(node, nodes.math | nodes.math_block)


def _is_one_of(script, names: Iterable[str]) -> bool:
    described = f"{script.filename} {getattr(script, 'attributes', {}).get('body', '')}".lower()
    return any(name in described for name in names)


def _only_used_icons(app, exception) -> None:
    """Take the icons that no page shows out of Font Awesome's script, which is larger than all others together."""
    script = Path(app.outdir) / "_static" / "scripts" / "fontawesome.js"
    if exception is None and script.is_file():
        texts = [*Path(app.outdir).rglob("*.html"), *Path(app.outdir, "_static", "scripts").glob("*theme.js")]
        used = {name for text in texts for name in re.findall(r"fa-([a-z0-9-]+)", text.read_text(encoding="utf-8"))}
        script.write_text(with_icons(script.read_text(encoding="utf-8"), used), encoding="utf-8")


def _previews(app, exception) -> None:
    if exception is None:
        previews.write(Path(app.outdir))


def with_icons(script: str, used: set[str]) -> str:
    """Font Awesome's script with none but the icons of these names."""
    return _ICON.sub(lambda icon: icon[0] if used & {icon[1], *re.findall(r'"([\w-]+)"', icon[2])} else "", script)

"""Sphinx extension: leaves out Thebe, whose scripts Jupyter Book adds (twice) to pages that never use it."""


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("html-page-context", _without_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _without_thebe(app, pagename, templatename, context, doctree) -> None:
    context["script_files"] = [script for script in context["script_files"] if not _is_thebe(script)]


def _is_thebe(script) -> bool:
    return "thebe" in f"{script.filename} {getattr(script, 'attributes', {}).get('body', '')}".lower()

"""The Sphinx extension leaves Thebe out of every page, and nothing else."""

from types import SimpleNamespace

from analysis.runs import sphinx_extension


def test_thebe_is_left_out_whether_loaded_or_written_out():
    connected = {}
    app = SimpleNamespace(connect=lambda event, call, priority: connected.update({event: call}))
    assert sphinx_extension.setup(app)["parallel_read_safe"]
    kept = SimpleNamespace(filename="_static/mathjax.js", attributes={})
    scripts = [
        kept,
        SimpleNamespace(filename="https://unpkg.com/thebe/lib/index.js", attributes={}),
        SimpleNamespace(filename=None, attributes={"body": "var thebe_selector = '.thebe'"}),
    ]
    context = {"script_files": scripts}
    connected["html-page-context"](app, "page", "page.html", context, None)
    assert context["script_files"] == [kept]

"""What the book's notebooks display for programs rather than for readers, under MIME types of their own."""

from nbformat import NotebookNode

CLAIMS = "application/vnd.analysis.claims+json"
HYPOTHESES = "application/vnd.analysis.hypotheses+json"
FINDINGS = "application/vnd.analysis.findings+json"
FIGURE = "application/vnd.analysis.figure+json"
VALUES = "application/vnd.analysis.values+json"
TABLES = {CLAIMS: ".claims.json", HYPOTHESES: ".hypotheses.json", FINDINGS: ".findings.json"}
"""What the runner writes beside an executed notebook for each kind of table."""


def embedded(notebook: NotebookNode, mime: str) -> list:
    """Everything that cells of an executed notebook displayed under `mime`, in order."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return [output.data[mime] for output in outputs if mime in output.get("data", {})]


def taken(cell: NotebookNode, mime: str) -> list:
    """What a cell displayed under `mime`, taken out of it; an output that held nothing else goes."""
    found = [output.data.pop(mime) for output in cell.get("outputs", []) if mime in output.get("data", {})]
    cell.outputs = [output for output in cell.outputs if output.get("data") != {}] if found else cell.get("outputs", [])
    return found

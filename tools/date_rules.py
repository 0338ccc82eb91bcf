"""Write book/rules.csv: when each rule was fixed and which run it first judged, as the git history has it.

Rows whose rule has not changed stay as they are, what was known before the rule included. A new rule gets the commit
that brought it; a changed one, the last commit on its file. So commit the rule first, then call this.
"""

import csv
import importlib
import subprocess

from analysis.runs import catalogue
from analysis.sources import ROOT

RULES = ROOT / "book" / "rules.csv"
COLUMNS = ("page", "kind", "id", "rule", "fixed", "commit", "first_run", "first_run_commit", "known_before")
_TABLES = {
    "neuron_correlation": ("CLAIMS", "HYPOTHESES"),
    "public/neuron_correlation": ("MNIST_CLAIMS", "MNIST_HYPOTHESES"),
    "public/neuron_correlation_networks": ("NETWORKS_CLAIMS", "NETWORKS_HYPOTHESES"),
    "contrastive_stimuli": ("CLAIMS", "HYPOTHESES"),
    "public/contrastive_stimuli": ("PUBLIC_CLAIMS", "PUBLIC_HYPOTHESES"),
    "public/contrastive_stimuli_photographs": ("PHOTOGRAPHS_CLAIMS", "PHOTOGRAPHS_HYPOTHESES"),
    "public/contrastive_stimuli_zoos": ("ZOOS_CLAIMS", "ZOOS_HYPOTHESES"),
    "recovery_curve": ("CLAIMS", "HYPOTHESES"),
    "public/recovery_curve": ("THINGS_CLAIMS", "THINGS_HYPOTHESES"),
    "public/recovery_curve_causes": ("CAUSES_CLAIMS", "CAUSES_HYPOTHESES"),
    "public/recovery_curve_photographs": ("PHOTOGRAPHS_CLAIMS", "PHOTOGRAPHS_HYPOTHESES"),
    "metric_correlation": ("CLAIMS", "HYPOTHESES"),
    "public/metric_correlation": ("PUBLIC_CLAIMS", "PUBLIC_HYPOTHESES"),
    "public/metric_correlation_tables": ("TABLES_CLAIMS", "TABLES_HYPOTHESES"),
    "public/metric_correlation_zoos": ("ZOOS_CLAIMS", "ZOOS_HYPOTHESES"),
    "choosing_stimuli": ("CLAIMS", "HYPOTHESES"),
    "public/choosing_stimuli": ("PUBLIC_CLAIMS", "PUBLIC_HYPOTHESES"),
    "public/choosing_stimuli_factorial": ("FACTORIAL_CLAIMS", "FACTORIAL_HYPOTHESES"),
}
"""The tables of rules that each page shows, by their names in its chapter's claims."""


def chapter_of(page: str) -> str:
    """The chapter that a page belongs to."""
    name = page.removeprefix("public/")
    return next(chapter for chapter in catalogue.chapters() if name.startswith(chapter))


def committed() -> list[dict]:
    """Every rule in the chapters' claims: the first four columns of the table."""
    rows = []
    for page, names in _TABLES.items():
        module = importlib.import_module(f"analysis.chapters.{chapter_of(page)}.claims")
        for kind, name in zip(("claim", "hypothesis"), names, strict=True):
            entries = getattr(module, name, ())
            rows += [{"page": page, "kind": kind, "id": entry.id, "rule": str(entry.rule)} for entry in entries]
    return rows


def dated() -> list[dict]:
    """What the table says today."""
    if not RULES.is_file():
        return []
    with RULES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Bring the table up to date."""
    old = {(row["page"], row["id"], row["rule"]): row for row in dated()}
    known = {(row["page"], row["id"]) for row in dated()}
    rows = []
    for row in committed():
        key = row["page"], row["id"], row["rule"]
        rows.append(old[key] | row if key in old else row | _history(row, changed=key[:2] in known))
    with RULES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _history(row: dict, *, changed: bool) -> dict:
    claims, page = f"analysis/chapters/{chapter_of(row['page'])}/claims.py", f"book/{row['page']}"
    name, public = row["id"], row["page"].startswith("public/")
    fixed = _last(claims) if changed else _first(f'"{name}"', claims) or _last(claims)
    # A public run is committed with its verdicts; of an embedded one, only the page that measures.
    judged = _first(f'"id": "{name}"', f"{page}.ipynb") if public else _first(name, f"{page}.md")
    ran = "" if changed else judged
    dates = {"fixed": _date(fixed), "commit": fixed, "first_run": _date(ran), "first_run_commit": ran}
    return dates | {"known_before": ""}


def _first(text: str, path: str) -> str:
    """The first commit in which a file holds a text."""
    found = _git("log", "--reverse", "--format=%h", "-S", text, "--", path).split()
    return found[0] if found else ""


def _last(path: str) -> str:
    return _git("log", "-1", "--format=%h", "--", path)


def _date(commit: str) -> str:
    return _git("show", "-s", "--format=%cs", commit) if commit else ""


def _git(*words: str) -> str:
    return subprocess.run(("git", *words), cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()

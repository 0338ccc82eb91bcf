"""The public run on further tables: a fixed part is computed anew and must be what the page says."""

import json
import os

import numpy as np
import pytest

from analysis.chapters.metric_correlation import claims as committed
from analysis.chapters.metric_correlation import tables
from analysis.chapters.metric_correlation.competence import HALF, normal_correlations, restricted_mean
from analysis.runs import catalogue, outputs, verdicts

pytestmark = [
    pytest.mark.public_data,
    pytest.mark.skipif(
        not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name a folder with the public data files"
    ),
]


@pytest.fixture(scope="module")
def alignment():
    return tables.read_tables()


def mean_rho(scores):
    rho = scores.corr("spearman").to_numpy()
    return rho[np.triu_indices(len(rho), 1)].mean()


def test_means_over_all_models_are_those_of_the_data(judged, alignment):
    for key, name in tables.CLAIMED.items():
        value = judged[f"{key}-mean-correlation"]["measured"]["value"]
        assert value == pytest.approx(mean_rho(alignment[name].scores), abs=1e-6)
    assert verdicts.REPRODUCED not in {row["verdict"] for row in judged.values()}, "the tables are not the paper's"


def test_every_committed_rule_was_measured(judged):
    assert set(judged) == {entry.id for entry in (*committed.TABLES_CLAIMS, *committed.TABLES_HYPOTHESES)}
    assert all(row["measured"] and row["noise"] for row in judged.values())


def test_the_fall_and_what_explains_it_are_those_of_the_data(judged, numbers, alignment):
    for key, name in tables.HYPOTHESES.items():
        table = alignment[name]
        accuracy = table.models["accuracy"][table.scores.notna().all(axis=1)].dropna()
        scores, kept = table.scores.loc[accuracy.index], accuracy >= accuracy.quantile(HALF)
        observed = mean_rho(scores[kept])
        assert judged[f"{key}-fall"]["measured"]["value"] == pytest.approx(observed - mean_rho(scores), abs=1e-6)
        correlations = normal_correlations(np.column_stack([accuracy, scores]))
        expected = restricted_mean(correlations, kept.mean())
        assert judged[f"{key}-excess"]["measured"]["value"] == pytest.approx(observed - expected, abs=1e-6)
        found = numbers["falls"]
        row = found[(found["table"] == name) & (found["models"] == kept.sum())].iloc[0]
        assert (row["observed"], row["expected"]) == pytest.approx((observed, expected), abs=1e-6)


def test_the_known_means_are_on_the_page(public_run, alignment):
    told = {row["name"]: row["text"] for rows in outputs.embedded(public_run, outputs.VALUES) for row in rows}
    assert (told["tables-competent"], told["tables-n-competent"]) == ("0.31", "129")
    assert mean_rho(alignment[tables.SCALING_STUDY].scores) == pytest.approx(0.745, abs=5e-4)
    assert mean_rho(tables.competent(alignment[tables.SCALING_STUDY])) == pytest.approx(0.312, abs=5e-4)


def test_the_recording_is_small_and_names_its_data(public_run):
    assert len(json.dumps(public_run)) < 1_000_000
    assert set(public_run.metadata.analysis.made_from.data) == set(
        catalogue.parameters_of("metric_correlation_tables", catalogue.PUBLIC).checked({}).public_files()
    )
    assert not [out for cell in public_run.cells for out in cell.get("outputs", []) if out.output_type == "stream"]

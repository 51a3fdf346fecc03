"""KPU's reform index as it was made known, with its sources: nothing here is invented."""

import csv
from decimal import Decimal
from importlib import resources

from app.schemas.assessments import Assessor, NewAssessment

_CODES = {
    "Permenpan RB 14/2014": "permenpan-14-2014",
    "Permenpan RB 26/2020": "permenpan-26-2020",
    "Permenpan RB 9/2023": "permenpan-9-2023",
}


def assessments() -> list[NewAssessment]:
    """Return what the national evaluator gave KPU by year, and the target that was announced."""
    text = resources.files("app.demo").joinpath("kpu_index.csv").read_text("utf-8")
    return [
        NewAssessment.model_validate(
            {
                "instrument": _CODES[row["instrument"]],
                "score_year": int(row["score_year"]),
                "assessor": Assessor.NATIONAL,
                "announced_on": row["announced_on"] or None,
                "score": Decimal(row["score"]) if row["score"] else None,
                "announced_predicate": row["predicate"] or None,
                "target": Decimal(row["target"]) if row["target"] else None,
                "source": row["source"],
                "note": f"Certainty: {row['certainty']}.",
            }
        )
        for row in csv.DictReader(text.splitlines())
    ]

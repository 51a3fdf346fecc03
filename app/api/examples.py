"""What a parameter is in the demo, so that an example of the document can be tried there."""

from typing import Any

_PATH: dict[str, object] = {
    "institution": "kpu",
    "unit": "32",
    "initiative": "QW-2022-014",
    "person": "sek-32",
    "period": "2024-B12",
    "scheme": "rb-2020",
    "area": "change-management",
    "purpose": "macro",
    "instrument": "permenpan-26-2020",
    "criterion": "leverage",
    "decree": "SK-QW-2022",
    "stage": "campaign",
    "role": "agent-of-change",
    "national_indicator": "trust-barometer",
    "template": "loket-informasi",
    "verdict": "met-fast",
    "format": "csv",
}
"""By name. What is known by its id alone, or is not in the demo, has none."""
_MILESTONE = "/milestones/{number}"
_QUERY = {"from": "2022-10-31", "dimension": "status", "period": _PATH["period"]}
"""Of what is owed in a query."""


def declare(document: dict[str, Any]) -> None:
    """Give each parameter that the demo knows its value there."""
    for path, operations in document["paths"].items():
        known = _PATH | ({"number": 3} if _MILESTONE in path else {})
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                name = parameter.get("name")
                if parameter.get("in") == "path" and name in known:
                    parameter["example"] = known[name]
                elif parameter.get("in") == "query" and parameter["required"] and name in _QUERY:
                    parameter["example"] = _QUERY[name]

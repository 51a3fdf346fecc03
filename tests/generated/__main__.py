"""Accept the OpenAPI document as it is now: what clients may rely on from here on.

python -m tests.generated        # says what that breaks, and asks nobody
"""

import json
import sys
from pathlib import Path
from typing import Any

from app.main import create_app
from app.settings import Settings
from tests.generated.compatibility import broken, essence

ACCEPTED = Path(__file__).parent / "accepted.json"


def current() -> dict[str, Any]:
    """The document of an application as it is by default."""
    return create_app(Settings(database_url="sqlite://")).openapi()


def accepted() -> dict[str, Any]:
    """The document that was accepted last."""
    found: dict[str, Any] = json.loads(ACCEPTED.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Keep the document."""
    document = essence(current())
    if ACCEPTED.exists():
        for each in broken(accepted(), document):
            sys.stdout.write(f"breaks: {each}\n")
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    ACCEPTED.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Node.js, for the tests of what clients make of the service."""

import pytest

from tests.support import node


@pytest.fixture(scope="session")
def program() -> str:
    """Node.js, beside which all packages are."""
    return node.installed()

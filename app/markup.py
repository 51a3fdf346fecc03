"""What XML can hold: everything but a few characters, not even escaped."""

import re

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def writable(text: str) -> str:
    """The text with a space in place of each character that no XML 1.0 document can have."""
    return _UNWRITABLE.sub(" ", text)

"""How wide text will be, before anybody knows its font: by the widths of Helvetica.

The fonts that readers have (`system-ui`) differ from it by a few percent; `_SAFETY` covers that.
"""

from itertools import accumulate

_SAFETY = 1.06
_OTHER, _WIDE = 0.6, 1.0
_FIRST_WIDE = 0x1100
"""From here on letters are as wide as they are high, or drawn by fonts that we know nothing of."""
_PER_MILLE = {
    letter: width
    for width, letters in {
        191: "'", 222: "ijl", 260: "|", 278: " !,./:;I[\\]ft·", 333: "()-`r", 334: "{}",
        355: '"', 389: "*", 469: "^", 500: "Jckszvxy",
        556: "#$0123456789?L_abdeghnopqu–", 584: "+<=>~−×", 611: "FTZ", 667: "&ABEKPSVXY",
        722: "CDHNRUw", 778: "GOQ", 833: "Mm", 889: "%", 944: "W", 1000: "—…", 1015: "@",
    }.items()
    for letter in letters
}  # fmt: skip
_BOLD = 1.09
ELLIPSIS = "…"


def measure(text: str, size: float) -> float:
    """Pixels that a text of a size takes, a little more than most fonts need."""
    return sum(map(_width, text)) * size * _SAFETY


def fit(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, or as much of its beginning as there is room for and an ellipsis."""
    if bold:
        room /= _BOLD
    if measure(text, size) <= room:
        return text
    room -= measure(ELLIPSIS, size)
    ends = accumulate(_width(letter) * size * _SAFETY for letter in text)
    kept = sum(end <= room for end in ends)
    return f"{text[:kept].rstrip()}{ELLIPSIS}"


def wrap(text: str, size: float, room: float, most: int) -> list[str]:
    """The text in at most so many lines, broken between words; the last one is cut to the room."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and len(lines) < most - 1 and measure(longer, size) > room:
            lines.append(line)
            longer = word
        line = longer
    return [fit(each, size, room) for each in (*lines, line)]


def _width(letter: str) -> float:
    if letter in _PER_MILLE:
        return _PER_MILLE[letter] / 1_000
    return _WIDE if ord(letter) >= _FIRST_WIDE else _OTHER

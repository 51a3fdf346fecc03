"""Documents as tests send them, made as small as they can be."""

import io
import zipfile

PDF = b"%PDF-1.7\n1 0 obj\n%%EOF\n"
OFFICE = "application/vnd.openxmlformats-officedocument"
OPEN = "application/vnd.oasis.opendocument"


def zipped(**parts: str) -> bytes:
    """A zip of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return made.getvalue()


def office(kind: str, **parts: str) -> bytes:
    """A document of Office that says what it is."""
    types = f'<Types><Override PartName="/a.xml" ContentType="{kind}"/></Types>'
    return zipped(**{"[Content_Types].xml": types, **parts})

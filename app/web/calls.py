"""`PageCall`: who looks at a page, and the database."""

from typing import Annotated

from fastapi import Depends

from app import db
from app.api import calls
from app.services.actors import Actor

PageCall = Annotated[db.Call[Actor], Depends(calls._call)]  # noqa: SLF001  the same dependency

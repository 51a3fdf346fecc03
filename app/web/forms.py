"""What a form sends, read strictly: `application/x-www-form-urlencoded`, each field once."""

from email.message import Message
from typing import TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import BaseModel, ValidationError

from app.api.bodies import pieces
from app.api.refusals import Unreadable, UnsupportedMediaType
from app.errors import FieldError, Invalid
from app.messages import of_validation

MOST_BYTES = 65_536
_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100
Form = TypeVar("Form", bound=BaseModel)


async def read(request: Request, shape: type[Form]) -> Form:
    """A form of this shape; fields that are left empty are not there. Raises `Invalid` and the like."""
    body = b"".join([piece async for piece in pieces(request, MOST_BYTES)])
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    if body and header.get_content_type() != _TYPE:
        raise UnsupportedMediaType
    try:
        pairs = parse_qsl(body.decode("ascii"), errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Unreadable from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unreadable("A field is there twice.")
    if any("\x00" in value for value in fields.values()):
        raise Unreadable("A NUL character cannot be stored.")
    try:
        return shape.model_validate(fields)
    except ValidationError as error:
        places = [FieldError.found(e["loc"], e["type"], of_validation(e)) for e in error.errors()]
        raise Invalid(errors=tuple(places)) from error

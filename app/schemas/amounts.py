"""Exact decimals with two places on the wire: scores and what indicators measure."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from app.schemas.fields import number

Score = Annotated[
    Decimal,
    BeforeValidator(number),
    Field(ge=0, le=1000, decimal_places=2),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1000}),
]
"""Points, 0-1,000, at most two decimals."""
Lift = Annotated[
    Decimal,
    BeforeValidator(number),
    Field(gt=0, le=1000, decimal_places=2),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1000}),
]
"""Points to be added, above 0 to 1,000, at most two decimals."""
Amount = Annotated[
    Decimal,
    BeforeValidator(number),
    Field(ge=-(10**12), le=10**12, decimal_places=2),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": -(10**12), "maximum": 10**12}),
]
"""What an indicator measures, at most two decimals, up to a million millions either way."""
Figure = Annotated[
    Decimal,
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number"}),
]
"""A decimal that was computed, with two places."""

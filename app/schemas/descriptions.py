"""What the docstrings below the fields of a class say: their descriptions in the OpenAPI document."""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Described(BaseModel):
    """Its docstrings are read when the document is made.

    Pydantic would read them whenever the class is: an eighth of what a process took to start.
    """

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema, with the descriptions of its fields."""
        made = handler(core_schema)
        properties = handler.resolve_ref_schema(made)["properties"]
        for name, told in descriptions(cls).items():
            properties[cls.model_fields[name].alias or name].setdefault("description", told)
        return made


def descriptions(shape: type[BaseModel]) -> dict[str, str]:
    """The docstring of each field that has one, by the field's name; inherited ones too."""
    found: dict[str, str] = {}
    for each in reversed(shape.__mro__):
        for name in inspect.get_annotations(each):
            found.pop(name, None)  # declared anew
        found |= _by_class(each.__module__).get(each.__name__, {})
    return {name: told for name, told in found.items() if name in shape.model_fields}


@cache
def _by_class(module: str) -> dict[str, dict[str, str]]:
    """Of each class of a module, by name; of this application's alone."""
    if not module.startswith("app."):
        return {}
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except OSError:  # only compiled here, or replaced by another release below a running process
        return {}
    return {each.name: _told(each) for each in tree.body if isinstance(each, ast.ClassDef)}


def _told(each: ast.ClassDef) -> dict[str, str]:
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(each.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }

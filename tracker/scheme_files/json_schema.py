"""The format of scheme files as a JSON Schema, with which editors complete and check them.

It is generated from the tables of ``format``, so an editor applies the loader's own rules. It
checks each value by itself; only the loader knows how keys must fit each other.
"""

from __future__ import annotations

import inspect
from decimal import Decimal
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin, resolver
from marshmallow import Schema, missing

from tracker.scheme_files.format import SchemeFile
from tracker.scheme_files.nouns import NounKey, UnitOrNoun
from tracker.scheme_files.values import CODE, AnyField, NamedTable

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CODE = {"type": "string", "pattern": f"^{CODE.pattern}$"}
_TEXT = {"type": "string"}


def generate() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one scheme file."""
    marshmallow = MarshmallowPlugin(schema_name_resolver=_name)
    # OpenAPI 3.1 uses that draft; 3.0 used an older one.
    spec = APISpec("", "", openapi_version="3.1.0", plugins=[marshmallow])
    converter: Any = marshmallow.converter
    converter.add_attribute_function(_codes)
    converter.add_attribute_function(_text_or_table)
    converter.add_attribute_function(_default)
    spec.components.schema(_name(SchemeFile), schema=SchemeFile)
    tables: dict[str, Any] = _plain(spec.components.schemas)
    for (made_of, *_), name in converter.refs.items():
        tables[name] = {"description": inspect.getdoc(made_of), **tables[name]}
    scheme = tables.pop(_name(SchemeFile))
    return {"$schema": _DIALECT, "title": "Certification scheme", **scheme, "$defs": tables}


def _name(schema: type[Schema]) -> str:
    return str(resolver(schema)).strip("_").removesuffix("Table")


def _codes(_: object, field: AnyField, **__: object) -> dict[str, Any]:
    """The names allowed for the entries of a table of tables, which OpenAPI leaves out."""
    return {"propertyNames": _CODE} if isinstance(field, NamedTable) else {}


def _text_or_table(_: object, field: AnyField, **keywords: Any) -> dict[str, Any]:
    """What may stand in the place of a table: a code, or a plain text."""
    for kind, text in ((UnitOrNoun, _CODE), (NounKey, _TEXT)):
        if isinstance(field, kind):
            return {"anyOf": [text, {"$ref": keywords["ret"].pop("$ref")}]}
    return {}


def _default(_: object, field: AnyField, **__: object) -> dict[str, Any]:
    """The default of a key, if it is one word or amount."""
    attributes = getattr(getattr(field.parent, "made_of", None), "__dataclass_fields__", {})
    value = field.load_default
    if value is missing and not field.required and field.name in attributes:
        value = attributes[field.name].default
    if not isinstance(value, str | bool | Decimal) or value == "":
        return {"default": None}  # such as an empty list: _plain leaves it out
    return {"default": str(value) if isinstance(value, Decimal) else value}


def _plain(schema: Any) -> Any:
    """JSON Schema without the keywords of OpenAPI, Python or this program."""
    if isinstance(schema, list):
        return [_plain(entry) for entry in schema]
    if isinstance(schema, str):
        return schema.replace("#/components/schemas/", "#/$defs/").replace(r"\Z", "$")
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if value is not None}
    return schema

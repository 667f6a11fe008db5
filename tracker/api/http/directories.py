"""The routes of a directory of organizations: add, list, read and correct one, for any kind.

``routes()`` attaches them: staff may do all, and the people of an organization read and correct it.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, CompanyName, Email, Sought
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.organizations import NOUNS, C, ContactDirectory, ContactRow


class OrganizationSchema(Schema):
    """An organization on record."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class OrganizationChangeSchema(ClosedSchema):
    """The fields that may be corrected."""

    name = CompanyName(metadata={"description": "Only staff can change it."})
    email = Email(allow_none=True)


class NewOrganizationSchema(OrganizationChangeSchema):
    """An organization to be recorded."""

    name = CompanyName(required=True)


class OrganizationQuerySchema(paging.PageSchema):
    """Names match by their beginning."""

    name = Sought(200)


Correct = Callable[[UnitOfWork, str, Loaded, int], ContactRow]
"""A service that changes the record of an organization, if it has this version still."""


def _present(row: ContactRow) -> dict[str, object]:
    shown = row._asdict()
    del shown["version"]
    return shown


def routes(
    resource: Resource,
    directory: ContactDirectory[C],
    *,
    correct: Correct | None = None,
    schema: type[OrganizationSchema] = OrganizationSchema,
) -> None:
    """Attach the routes.

    ``correct`` is a service that does more than the directory itself, ``schema`` what is answered.
    """
    role, noun = directory.role, NOUNS[directory.role]
    path, one = f"/{role}s", f"/{role}s/<uuid:{role}_id>"
    resource.writes(
        f"POST {path}",
        "staff",
        body=NewOrganizationSchema,
        returns=schema,
        status=201,
        errors=(409,),
    )(_named(_register(directory), f"register_{role}", f"Record {noun}."))
    resource.reads(
        f"GET {path}",
        "staff",
        query=OrganizationQuerySchema,
        returns=page_of(schema),
    )(_named(_search(directory), f"search_{role}s", f"The {role}s on record."))
    resource.reads(f"GET {one}", "staff", role, returns=schema, errors=(404,))(
        _named(_show(directory), f"show_{role}", f"One {role}; its own people see it, too.")
    )
    resource.writes(
        f"PATCH {one}",
        "staff",
        role,
        body=OrganizationChangeSchema,
        returns=schema,
        versioned=True,
        errors=(404, 409),
    )(
        _named(
            _correct(correct or directory.change),
            f"correct_{role}",
            f"Correct the record of {noun}; only staff may change the name.",
        )
    )


def _named(view: Callable[..., Response], name: str, about: str) -> Callable[..., Response]:
    view.__name__, view.__doc__ = name, about
    return view


def _register(directory: ContactDirectory[C]) -> Callable[..., Response]:
    def register(work: UnitOfWork, body: Loaded) -> Response:
        row = directory.enter(work, **body)
        where = f"/api/v1/{directory.role}s/{row.id}"
        return routing.answer(_present(row), status=201, version=row.version, location=where)

    return register


def _search(directory: ContactDirectory[C]) -> Callable[..., Response]:
    def search(reading: ReadContext, query: Loaded) -> Response:
        rows = directory.page(
            reading, after=query.get("after"), limit=query["limit"] + 1, name=query.get("name")
        )
        return paging.answer(rows, query, _present)

    return search


def _show(directory: ContactDirectory[C]) -> Callable[..., Response]:
    def show(reading: ReadContext, **ids: str) -> Response:
        (id_,) = ids.values()
        row = directory.get(reading, id_)
        return routing.answer(_present(row), version=row.version)

    return show


def _correct(service: Correct) -> Callable[..., Response]:
    def correct(work: UnitOfWork, body: Loaded, *, version: int, **ids: str) -> Response:
        (id_,) = ids.values()
        row = service(work, id_, body, version)
        return routing.answer(_present(row), version=row.version)

    return correct

"""The messages of one person: what was sent, which reminder was not, and why."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from tracker.api.http import routing
from tracker.domain.permissions import Actor
from tracker.language.voice import in_words
from tracker.services.delivery import person_messages
from tracker.web import navigation
from tracker.web.delivery import stage_words
from tracker.web.delivery.stage_words import WORDS
from tracker.web.desk import desk_forms, record_words
from tracker.web.people import lists, visitors

pages = Blueprint("desk-person-messages", __name__)

_HERE = "/desk/people/<uuid:holder_id>/messages"


@pages.get(_HERE)
@visitors.for_staff
def show(actor: Actor, *, holder_id: UUID) -> Response:
    """Whether messages reach the person, every reminder with its fate, and the messages."""
    language, container = routing.language(), routing.container()
    limit = lists.LISTED + 1
    with container.reading(actor) as reading:
        found = person_messages.of_person(
            reading,
            container.message_key,
            str(holder_id),
            after=lists.place(),
            limit=limit,
        )
    messages, more = lists.cut(found.messages, lambda one: one.id)
    return visitors.page(
        "delivery/person_messages",
        language,
        say=WORDS[language],
        form=desk_forms.words(),
        codes=record_words.WORDS[language],
        areas=navigation.of_records(language),
        here=f"/desk/people/{holder_id}",
        found=found,
        holder=found.holder,
        messages=messages,
        more=more,
        schemes={one.code: one.full_name(language) for one in container.schemes},
        stage=lambda offset: stage_words.stage(offset, language),
        day=lambda day: in_words(day, language),
        moment=lambda instant: desk_forms.moment(instant, language),
    )

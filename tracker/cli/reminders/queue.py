"""tracker reminders list, requeue, cancel: messages that need a decision by staff."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import click

from tracker.cli.commands import OPERATOR, complain, container
from tracker.cli.values import choice, words
from tracker.domain.delivery.queue_acts import TRANSITIONS, MessageState, QueueAct
from tracker.domain.errors import Refusal
from tracker.services.core.context import Container
from tracker.services.delivery import by_hand, sent_messages
from tracker.services.delivery.sent_messages import Copy, MessageFilter

_PAGE = 500
_STATES = (
    MessageState.DEAD,
    MessageState.AMBIGUOUS,
    MessageState.PARKED,
    MessageState.READY,
    MessageState.CANCELLED,
)


@click.command("list")
@click.option("--state", type=choice(_STATES), default=str(MessageState.DEAD), show_default=True)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
def list_(state: str, limit: int) -> None:
    """List the messages in a state, newest first."""
    opened, count = container(), 0
    for copy in _messages(opened, state, limit):
        click.echo(_line(copy))
        count += 1
    complain(
        f"{count:,} messages are {state}." if count < limit else f"Shows the newest {count:,}."
    )


def _messages(opened: Container, state: str, limit: int) -> Iterator[Copy]:
    """The messages, page by page."""
    after: str | None = None
    with opened.reading(OPERATOR) as reading:
        while limit > 0:
            asked = MessageFilter(after, min(limit, _PAGE), (state,))
            found = sent_messages.page(reading, opened.message_key, asked)
            yield from found
            if len(found) < _PAGE:
                return
            limit, after = limit - len(found), found[-1].id


def _line(copy: Copy) -> str:
    row = copy.row
    stage = f"stage {row.stage}" if row.stage is not None else "no stage"
    return (
        f"{row.id}  {row.kind}  {stage}  {row.address}  {row.created_at:%Y-%m-%dT%H:%M:%SZ}  "
        f"tried {row.attempts}x  {row.last_error or ''}"
    ).rstrip()


def _by_hand(act: QueueAct, about: str) -> click.Command:
    """The command of one act; messages are handled one by one, so that a refusal stops no other."""

    def run(ids: tuple[UUID, ...], reason: str) -> None:
        opened = container()
        refused = sum(not _change(opened, str(id_), act, reason) for id_ in ids)
        if refused:
            raise SystemExit(1)

    return _command(act, about)(run)


def _command(act: QueueAct, about: str) -> Callable[[Callable[..., None]], click.Command]:
    def decorate(run: Callable[..., None]) -> click.Command:
        run = click.option(
            "--reason", type=words(500), required=True, help="Why; kept in the history."
        )(run)
        run = click.argument("ids", metavar="ID...", nargs=-1, required=True, type=click.UUID)(run)
        return click.command(act, help=about)(run)

    return decorate


def _change(opened: Container, message_id: str, act: QueueAct, reason: str) -> bool:
    """Change one message and print the result; False if it was refused."""
    try:
        with opened.work(OPERATOR) as work:
            changed = by_hand.change(work, message_id, act, reason=reason)
    except Refusal as refusal:
        complain(f"{message_id}: {refusal.detail}")
        return False
    after = TRANSITIONS[act].after
    click.echo(f"{message_id}: {after}" if changed else f"{message_id}: already {after}")
    return True


requeue = _by_hand(QueueAct.REQUEUE, "Requeue dead, cancelled, ambiguous or parked messages.")
cancel = _by_hand(QueueAct.CANCEL, "Cancel ready, parked or ambiguous messages.")

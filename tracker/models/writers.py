"""Who entered what somebody else decides."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id


class RecordWriter(Base, kw_only=True):
    """A person, not the holder, who entered or changed an activity, an application or an appeal.

    Such a person does not decide it. ``person_id`` is that of the token or the account.
    """

    __tablename__ = "record_writer"

    subject_id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(Id, primary_key=True)

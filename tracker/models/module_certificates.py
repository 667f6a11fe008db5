"""Certificates for single modules, which never expire."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id

_LEADS = text("merged_into_id is null")


class ModuleCertificate(Base, kw_only=True):
    """A holder's certificate for one module, dated by the first pass on record.

    The row keeps its id, number and public address whatever is corrected. ``amended_at``: when its
    day was last corrected. ``withdrawn_at``: no pass on record supports it any more; it comes back
    with one. ``merged_into_id``: the holder has another one for the module since two records of the
    person were merged; this one stays valid beside it.
    """

    __tablename__ = "module_certificate"
    __table_args__ = (
        Index(
            "uq_module_certificate_module",
            "holder_id",
            "scheme",
            "module",
            unique=True,
            sqlite_where=_LEADS,
            postgresql_where=_LEADS,
        ),
        CheckConstraint("merged_into_id <> id", name="merged"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    number_key: Mapped[str] = mapped_column(String(32), unique=True)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    scheme: Mapped[str] = mapped_column(String(32))
    module: Mapped[str] = mapped_column(String(32))
    passed_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    amended_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    merged_into_id: Mapped[str | None] = mapped_column(
        ForeignKey("module_certificate.id"), default=None
    )

"""The format of a scheme file, key by key, and how it becomes domain objects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from tracker.domain import schemes as domain
from tracker.domain.periods import Duration
from tracker.schemes.consistency import AMOUNT


class _Strict(Schema):
    class Meta:
        unknown = RAISE


_AMOUNT = 'must be a string such as "20.00"'


def _above_zero(text: str) -> None:
    if AMOUNT.fullmatch(text) and not Decimal(text):
        raise ValidationError("must be more than 0")


def _amount(*rules: Callable[[str], None], **options: Any) -> fields.Field[Any]:
    """Points or money: a string of digits with at most two decimals, never a float."""
    digits = validate.Regexp(rf"^{AMOUNT.pattern}\Z", error=_AMOUNT)
    options["error_messages"] = {"invalid": _AMOUNT}
    return fields.String(validate=[digits, *rules], **options)


def _code(**options: Any) -> fields.Field[Any]:
    rule = validate.Regexp(
        r"^[A-Za-z][A-Za-z0-9_]{0,31}\Z",
        error="must be letters, digits or _ (at most 32), a letter first",
    )
    return fields.String(required=True, validate=rule, **options)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text).quantize(Decimal("0.01"))


class _Flag(fields.Field[bool]):
    """A TOML boolean, and nothing that only counts as one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        del attr, data, kwargs
        if type(value) is not bool:
            raise ValidationError("must be true or false")
        return value


class _Day(fields.Field[date]):
    """A TOML date, as tomllib reads it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        del attr, data, kwargs
        if type(value) is not date:
            raise ValidationError("must be a date such as 2015-01-01, without quotes")
        return value


class _Text(_Strict):
    en = fields.String(required=True, validate=validate.Length(min=1))
    es = fields.String(required=True, validate=validate.Length(min=1))


class _Duration(_Strict):
    length = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1200))
    unit = fields.String(required=True, validate=validate.OneOf(("days", "months", "years")))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Duration:
        return Duration(**data)


class _Validity(_Duration):
    length = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1200))


class _Sourced(_Strict):
    source = fields.String(required=True, validate=validate.Length(min=1))
    verified = _Flag(required=True)


def _provenance(data: dict[str, Any]) -> domain.Provenance:
    return domain.Provenance(source=data.pop("source"), verified=data.pop("verified"))


class _Edition(_Strict):
    code = fields.String(required=True)
    name = fields.String(required=True)
    note = fields.String(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.Edition:
        return domain.Edition(**data)


class _Module(_Strict):
    code = _code()
    required = _Flag(required=True)
    name = fields.Nested(_Text, required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.Module:
        return domain.Module(**data)


class _Award(_Sourced):
    date_basis = fields.String(required=True, validate=validate.OneOf(("last_required_pass",)))
    validity = fields.Nested(_Validity, load_default=None)
    valid_through = fields.String(required=True, validate=validate.OneOf(("anniversary",)))
    leap = fields.String(required=True, validate=validate.OneOf(("clip",)))
    prerequisites = fields.List(fields.String(), required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.AwardRule:
        return domain.AwardRule(
            date_basis=data["date_basis"], validity=data["validity"],
            prerequisites=tuple(data["prerequisites"]), provenance=_provenance(data),
        )  # fmt: skip


class _Retake(_Sourced):
    wait_days = fields.Integer(required=True, strict=True, validate=validate.Range(0, 3650))
    failures_before_long_wait = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 100)
    )
    long_wait_days = fields.Integer(required=True, strict=True, validate=validate.Range(0, 3650))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.RetakeRule:
        return domain.RetakeRule(provenance=_provenance(data), **data)


class _Appeals(_Sourced):
    due_days = fields.Integer(required=True, strict=True, validate=validate.Range(1, 3650))
    decided_within_days = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 3650)
    )
    fee = _amount(required=True)
    refunded_on_success = _Flag(required=True)
    restores_gap = _Flag(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.AppealRule:
        data["fee"] = _decimal(data["fee"])
        return domain.AppealRule(provenance=_provenance(data), **data)


class _Bundle(_Strict):
    schemes = fields.List(fields.String(), required=True, validate=validate.Length(min=2))
    amount = _amount(required=True)
    within_days = fields.Integer(required=True, strict=True, validate=validate.Range(0, 3650))
    requires = fields.String(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.BundleFee:
        data["schemes"] = frozenset(data["schemes"])
        data["amount"] = _decimal(data["amount"])
        return domain.BundleFee(**data)


class _Fees(_Sourced):
    currency = fields.String(required=True, validate=validate.Regexp(r"^[A-Z]{3}\Z"))
    renewal = _amount(load_default=None)
    refundable = _Flag(required=True)
    bundles = fields.List(fields.Nested(_Bundle), load_default=list)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.Fees:
        data["renewal"] = _decimal(data["renewal"])
        data["bundles"] = tuple(data["bundles"])
        return domain.Fees(provenance=_provenance(data), **data)


class _Category(_Sourced):
    name = fields.Nested(_Text, required=True)
    maximum = _amount(load_default=None)
    minimum = _amount(load_default=None)


class _ActivityType(_Sourced):
    category = _code()
    name = fields.Nested(_Text, required=True)
    unit = fields.Nested(_Text, required=True)
    counted_by = fields.String(required=True, validate=validate.OneOf(("quantity", "months")))
    points = _amount(required=True)
    increment = _amount(_above_zero, load_default=None)


class _Policy(_Sourced):
    version = fields.String(required=True, validate=validate.Length(1, 32))
    effective_from = _Day(load_default=None)
    points_required = _amount(required=True)
    window = fields.Nested(_Duration, required=True)
    grace = fields.Nested(_Duration, load_default=None)
    valid_in_grace = _Flag(required=True)
    valid_while_pending = _Flag(required=True)
    next_cycle = fields.String(required=True, validate=validate.OneOf(("old_expiry", "decision")))
    month_rule = fields.String(
        required=True, validate=validate.OneOf(("completed", "pro_rata", "fifteen_days"))
    )
    duplicates = fields.String(
        required=True, validate=validate.OneOf(("once_per_cycle", "allowed"))
    )
    applies = fields.String(required=True, validate=validate.OneOf(("cycle_start",)))
    unverified = fields.List(fields.String(), load_default=list)
    categories = fields.Dict(keys=fields.String(), values=fields.Nested(_Category), required=True)
    types = fields.Dict(keys=fields.String(), values=fields.Nested(_ActivityType), required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.Policy:
        open_points = [*data.pop("unverified")]
        for group in ("categories", "types"):
            open_points += [f"{group}.{c}" for c, v in data[group].items() if not v["verified"]]
        data["categories"] = {c: _category(c, v) for c, v in data["categories"].items()}
        data["types"] = {c: _activity_type(c, v) for c, v in data["types"].items()}
        data["points_required"] = _decimal(data["points_required"])
        provenance = _provenance(data)
        if not provenance.verified:
            open_points.insert(0, "points_required")
        return domain.Policy(provenance=provenance, unverified=tuple(open_points), **data)


def _category(code: str, data: dict[str, Any]) -> domain.Category:
    provenance = _provenance(data)
    return domain.Category(
        code=code, name=data["name"], maximum=_decimal(data["maximum"]),
        minimum=_decimal(data["minimum"]), provenance=provenance,
    )  # fmt: skip


def _activity_type(code: str, data: dict[str, Any]) -> domain.ActivityType:
    provenance = _provenance(data)
    return domain.ActivityType(
        code=code, category=data["category"], name=data["name"], unit=data["unit"],
        basis=data["counted_by"], rate=_decimal(data["points"]) or Decimal(0),
        increment=_decimal(data["increment"]), provenance=provenance,
    )  # fmt: skip


class _Reminders(_Strict):
    offsets = fields.List(
        fields.Integer(strict=True, validate=validate.Range(-3650, 3650)), required=True
    )
    offsets_when_complete = fields.List(fields.Integer(strict=True), required=True)
    send_at = fields.String(
        required=True,
        validate=validate.Regexp(r"^([01]\d|2[0-3]):[0-5]\d\Z", error='must be like "09:00"'),
    )
    resend_ambiguous_at_or_below = fields.Integer(required=True, strict=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.ReminderPolicy:
        return domain.ReminderPolicy(
            offsets=tuple(sorted(data["offsets"], reverse=True)),
            offsets_when_complete=frozenset(data["offsets_when_complete"]),
            send_at=time.fromisoformat(data["send_at"]),
            resend_ambiguous_at_or_below=data["resend_ambiguous_at_or_below"],
        )


class _EarlierRegime(_Sourced):
    name = fields.String(required=True)
    description = fields.String(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.EarlierRegime:
        return domain.EarlierRegime(provenance=_provenance(data), **data)


def _zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError("must be an IANA time zone such as America/New_York")


class SchemeFile(_Strict):
    """The format of one file under ``config/schemes/``."""

    code = _code()
    name = fields.String(required=True, validate=validate.Length(min=1))
    title = fields.Nested(_Text, required=True)
    issuer = fields.String(required=True, validate=validate.Length(min=1))
    time_zone = fields.String(required=True, validate=_zone)
    number_prefix = fields.String(
        required=True, validate=validate.Regexp(r"^[A-Z]{2,8}\Z", error="must be 2-8 capitals")
    )
    editions = fields.List(fields.Nested(_Edition), load_default=list)
    modules = fields.List(fields.Nested(_Module), required=True, validate=validate.Length(min=1))
    award = fields.Nested(_Award, required=True)
    retake = fields.Nested(_Retake, required=True)
    appeals = fields.Nested(_Appeals, load_default=None)
    fees = fields.Nested(_Fees, load_default=None)
    policies = fields.List(fields.Nested(_Policy), load_default=list)
    reminders = fields.Nested(_Reminders, load_default=None)
    earlier_regimes = fields.List(fields.Nested(_EarlierRegime), load_default=list)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> domain.Scheme:
        """The scheme that a file without mistakes describes."""
        for key in ("modules", "editions", "policies", "earlier_regimes"):
            data[key] = tuple(data[key])
        data["time_zone"] = ZoneInfo(data["time_zone"])
        return domain.Scheme(**data)

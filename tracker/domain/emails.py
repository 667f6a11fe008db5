"""Email addresses: which texts are valid, and the forms in which they are kept, compared and sent.

An address is a local part of plain characters (RFC 5322's dot-atom; in RFC 6531 also letters of
other scripts), one @, and a domain name with a dot. Addresses that would need quoting are refused:
in a header, a comma or a colon could start a second recipient.

- Kept: the domain in lower case in its own script (``münchen.example``), whichever form was given;
  the local part as given, but in lower case if it has non-ASCII characters, because databases
  differ in how they lower such characters.
- Compared: without case (``compared``; in SQL, ``lower`` of the kept form).
- Searched for: the same for an address from a link or a header (``searched``).
- Sent: the domain in ASCII (``for_relay``), which every relay accepts. Only a non-ASCII local part
  needs a relay with SMTPUTF8.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

import idna

from tracker.domain.values import cleaned

LONGEST = 254
"""Characters of an address: RFC 5321, 4.5.3.1.3, less the angle brackets."""
RULE = f"must be one email address such as ana@example.org, with at most {LONGEST} characters"
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 253  # octets: RFC 5321, 4.5.3.1

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TOP = re.compile(r"[a-z]{2,63}")
_ENCODED = "xn--"
_LINK = re.compile(r"\s*mailto:([^?]*)", re.IGNORECASE)  # RFC 6068: its address, before headers
_NAMED = re.compile(r"[^<>]*<([^<>]*)>\s*")  # RFC 5322: an address after a person's name
_FULL_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)}  # as East Asian keyboards type


def email(text: str) -> str:
    """An address in the form in which it is kept. Raises ValueError with the rule.

    >>> email(" Ana.Ruiz@XN--MNCHEN-3YA.example")
    'Ana.Ruiz@münchen.example'
    """
    try:
        address = cleaned(text)
        if not address.isascii():
            address = address.translate(_FULL_WIDTH)
        local, _, domain = address.rpartition("@")
        whole = f"{_local(local)}@{mail_domain(domain)}"
    except ValueError as error:
        raise ValueError(RULE) from error
    sent = whole if whole.isascii() else for_relay(whole)
    if max(len(whole), len(sent.encode())) > LONGEST:
        raise ValueError(RULE)
    return whole


def _local(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.lower())
        if any(not x.isascii() and unicodedata.category(x)[0] not in "LMN" for x in text):
            raise ValueError(RULE)
    if len(text.encode()) > _LONGEST_LOCAL or not _LOCAL.fullmatch(text):
        raise ValueError(RULE)
    return text


@lru_cache(maxsize=4096)
def mail_domain(text: str) -> str:
    """A domain name in lower case in its own script. Raises ValueError.

    ASCII labels are letters, digits and hyphens, also several hyphens in a row; others follow IDNA
    2008 with the usual mappings (UTS 46).
    """
    mapped = text.lower() if text.isascii() else idna.uts46_remap(text)
    labels = [_label(label) for label in mapped.split(".")]
    is_top = _TOP.fullmatch(labels[-1]) or not labels[-1].isascii()
    domain = ".".join(labels)
    if len(labels) == 1 or not is_top or len(_in_ascii(domain)) > _LONGEST_DOMAIN:
        raise ValueError("must be a domain name such as example.org")
    return domain


def _label(text: str) -> str:
    if text.isascii() and not text.startswith(_ENCODED):
        if not _LABEL.fullmatch(text):
            raise ValueError("must have only letters, digits and hyphens")
        return text
    return idna.ulabel(text if text.isascii() else idna.alabel(text))


@lru_cache(maxsize=4096)
def _in_ascii(domain: str) -> str:
    labels = domain.split(".")
    return ".".join(x if x.isascii() else idna.alabel(x).decode("ascii") for x in labels)


def kept(address: str) -> str:
    """An address on record in today's form; one that is no longer valid stays as it is."""
    try:
        return email(address)
    except ValueError:
        return address


def compared(address: str) -> str:
    """An address, valid or not, in the form used for comparison: in lower case, without spaces.

    >>> compared("ANA@münchen.example") == compared("ana@xn--mnchen-3ya.EXAMPLE")
    True
    """
    if not address.isascii() or _ENCODED in address.lower():
        address = kept(address)
    return address.strip().lower()


def searched(text: str) -> str:
    """An address somebody searches for, in comparison form; it may come from a link or a header.

    >>> searched("mailto:Ana@example.org?subject=Hello")
    'ana@example.org'
    >>> searched("Ana Ruiz <ana@example.org>")
    'ana@example.org'
    """
    if (found := _LINK.match(text)) is not None:
        text = unquote(found[1])
    if (named := _NAMED.fullmatch(text)) is not None:
        text = named[1]
    return compared(text)


def for_relay(address: str) -> str:
    """An address in the form in which it is sent: its domain in ASCII, or as it is if invalid."""
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{_in_ascii(domain)}"
    except ValueError:
        return address


def needs_smtputf8(address: str) -> bool:
    """Whether only relays with SMTPUTF8 (RFC 6531) accept an address."""
    return not for_relay(address).isascii()

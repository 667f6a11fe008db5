"""Every kind of notice has its lane, its subject and the one who says what it tells.

A kind that is forgotten in one of these places would wait, look for the wrong record, or fail while
its message is composed and so never leave.
"""

from __future__ import annotations

from datetime import date

from tracker.domain.delivery.notices import NoticeKind
from tracker.services.delivery import notice_facts, notice_news, notice_people
from tracker.services.outbox.notices import NoticeToTell

# In which message it goes, and what kind of record its subject is.
PLACES = {
    NoticeKind.AWARD: ("decisions", "certification"),
    NoticeKind.AWARD_CORRECTED: ("considered", "certification"),
    NoticeKind.AWARD_WITHDRAWN: ("considered", "certification"),
    NoticeKind.ACTIVITY_SUBMITTED: ("decisions", "activity"),
    NoticeKind.ACTIVITY_DECIDED: ("decisions", "activity"),
    NoticeKind.ACTIVITY_REOPENED: ("decisions", "activity"),
    NoticeKind.RENEWAL_RECEIVED: ("decisions", "renewal"),
    NoticeKind.RENEWAL_DECIDED: ("decisions", "renewal"),
    NoticeKind.RENEWAL_REOPENED: ("decisions", "renewal"),
    NoticeKind.APPEAL_RECEIVED: ("considered", "appeal"),
    NoticeKind.APPEAL_DECIDED: ("considered", "appeal"),
    NoticeKind.REQUEST_DECIDED: ("considered", "request"),
    NoticeKind.RECORDS_MERGED: ("considered", "merge"),
    NoticeKind.ATTENDANCE: ("decisions", "attendance"),
    NoticeKind.AUDIT_ASKED: ("considered", "audit"),
    NoticeKind.AUDIT_DECIDED: ("considered", "audit"),
    NoticeKind.AUDIT_APPEALED: ("considered", "audit"),
    NoticeKind.FEE_CHANGED: ("considered", "fee"),
    NoticeKind.SUSPENDED: ("at_once", "certification"),
    NoticeKind.REINSTATED: ("considered", "certification"),
    NoticeKind.REVOKED: ("at_once", "certification"),
    NoticeKind.ADJUSTED: ("considered", "certification"),
    NoticeKind.CONSENT_ASKED: ("at_once", "employer"),
    NoticeKind.LISTED: ("at_once", "employer"),
    NoticeKind.EMPLOYER_RENAMED: ("at_once", "employer"),
    NoticeKind.EMPLOYMENT_ENDED: ("at_once", "employer"),
    NoticeKind.EMPLOYER_NUDGE: ("reminders", "employer"),
    NoticeKind.PERMISSION_GIVEN: ("at_once", "permission"),
    NoticeKind.CREDENTIAL_EXPIRES: ("reminders", "credential"),
    NoticeKind.MODULE_CERTIFICATE: ("considered", "module"),
}


def test_every_kind_has_its_message_and_its_subject():
    places = {}
    for kind in NoticeKind:
        notice = NoticeToTell(kind=kind, holder_id="h", subject_id="s", event="e", on=date.min)
        places[kind] = (notice.lane, notice_facts._source(kind))

    assert places == PLACES


def test_exactly_one_says_what_a_kind_tells():
    of_certifications, of_people = set(notice_news._OF_CERTIFICATIONS), set(notice_people.BY_KIND)

    assert of_certifications | of_people == set(NoticeKind)
    assert of_certifications & of_people == set()

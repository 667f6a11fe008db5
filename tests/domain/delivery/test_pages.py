"""Which page the button of a message opens (domain/delivery/pages.py)."""

import pytest

from tracker.domain.delivery.pages import DIGEST, OPENS, REMINDER, MessagePage, path_of
from tracker.domain.people.sign_in import HOME, own_path


def test_what_is_told_of_one_certification_opens_its_page():
    assert path_of([(REMINDER, "7")]) == "/account/certifications/7"
    assert path_of([("approved", "7"), ("partly", "7")]) == "/account/certifications/7/activities"
    assert path_of([("renewal_denied", "7")]) == "/account/certifications/7/renewal"
    assert path_of([("appeal_upheld", "7")]) == "/account/certifications/7/appeals"


def test_different_news_of_one_certification_opens_the_page_that_leads_to_all_of_its_pages():
    assert path_of([("approved", "7"), ("renewal_approved", "7")]) == "/account/certifications/7"


@pytest.mark.parametrize(
    "told",
    [
        [("approved", "7"), ("approved", "8")],
        [("approved", "7"), ("listed", None)],
        [("award_withdrawn", "7")],
        [("revoked", None)],
    ],
)
def test_what_has_no_page_or_several_opens_the_account(told):
    assert path_of(told) == HOME


def test_an_employers_digest_opens_the_sign_in_with_a_password():
    assert path_of([(DIGEST, None)]) == "/sign-in/password?next=/account"


def test_every_page_is_one_of_ours_to_which_signing_in_leads():
    assert set(OPENS.values()) == set(MessagePage)
    assert {own_path(page.replace("{id}", "7")) for page in MessagePage} == {
        page.replace("{id}", "7") for page in MessagePage
    }
    assert MessagePage.ACCOUNT == HOME

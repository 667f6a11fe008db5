"""The site at https:// and the browsers of staff, as for the pages of people."""

from tests.web.people.conftest import ana, app, browser, employer_id, enter, kim

__all__ = ["ana", "app", "browser", "employer_id", "enter", "kim"]

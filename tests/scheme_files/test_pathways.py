"""The pathways and the catalog of credentials: what is refused in them, at which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.domain.examples import SCHEMES
from tracker import settings
from tracker.domain.schemes.schemes import Schemes
from tracker.scheme_files import credentials, pathways
from tracker.scheme_files.mistakes import SchemesRefusedError

SHIPPED = settings.ROOT / "config"
CATALOG = credentials.load(SHIPPED / "credentials.toml")
REST = 'source = "x"\nverified = false\n'
NAME = 'name = { en = "x", es = "y" }\n'
HEAD = f'code = "p"\n{NAME}'
ACTIVITY = 'remind = [30]\n[activity]\ncategory = "IC"\ntype = "t"\n'


def step(by: str, code: str = "a", more: str = "") -> str:
    return f'[[steps]]\ncode = "{code}"\n{NAME}completed_by = {{ {by} }}\n{more}{REST}'


def refused(directory: Path, text: str, schemes: Schemes = SCHEMES) -> list[str]:
    (directory / "p.toml").write_text(text, "utf-8")
    with pytest.raises(SchemesRefusedError) as found:
        pathways.load(directory, schemes, CATALOG)
    return [str(mistake) for mistake in found.value.mistakes]


def test_the_shipped_files_are_read():
    found = pathways.load(SHIPPED / "pathways", SCHEMES, CATALOG)

    assert set(found) == {"career_changer", "mechatronics_student", "sponsored_apprentice"}
    assert [s.code for s in found["career_changer"].steps] == [
        "funding",
        "maintenance",
        "other_modules",
        "title",
    ]
    assert not any(s.provenance.verified for one in found.values() for s in one.steps)


def test_the_catalog_names_every_neighbor_of_the_certification():
    assert set(CATALOG.by_code) == {
        "smscp",
        "fanuc_robot_operator",
        "nocti",
        "pmmi_mechatronics",
        "nims",
        "osha_10",
        "osha_30",
        "rockwell",
        "mssc_cla",
        "mssc_clt",
        "mssc_cft",
        "mssc_ct_sca",
        "mssc_cpt_earlier",
    }
    assert CATALOG.by_code["smscp"].levels == ("1", "2", "3")


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ('certification = "cpx"', 'completed_by.certification = "cpx": is not the code of a'),
        ('scheme = "cpt", modules = ["x"]', "must be among green"),
        ('modules = ["safety"]', "scheme: goes with modules"),
        ('credential = "smsc"', 'credential = "smsc": is not a code of the catalog'),
        ('credential = "smscp", level = "4"', 'level = "4": must be among 1, 2, 3'),
        ('credential = "nims", level = "1"', "must be among none: it has no levels"),
        ('funding = "wioa", level = "1"', "level"),
        ('funding = "lottery"', "must be one of: "),
        ('funding = "wioa", credential = "nims"', "must have exactly one of modules"),
    ],
)
def test_a_step_that_nothing_could_complete_is_refused_at_its_line(tmp_path, by, told):
    good = step('scheme = "cpt", modules = ["safety"]', "first")
    [mistake] = refused(tmp_path, HEAD + good + step(by))

    assert mistake.startswith("p.toml:")
    assert "steps.1.completed_by" in mistake
    assert told in mistake


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + step('funding = "wioa"') * 2, 'steps.1.code = "a": stands twice'),
        (HEAD, "steps"),
        (
            HEAD
            + step('funding = "wioa"', more='cost = { at_least = "9.00", at_most = "1.00" }\n'),
            "must not be less than at_least",
        ),
        ("code =", "is not valid TOML"),
    ],
)
def test_other_mistakes(tmp_path, text, told):
    assert any(told in mistake for mistake in refused(tmp_path, text))


def test_two_files_may_not_have_one_code(tmp_path):
    (tmp_path / "o.toml").write_text(HEAD + step('funding = "wioa"'), "utf-8")

    assert refused(tmp_path, HEAD + step('funding = "wioa"')) == [
        'p.toml:1: code = "p": is the code of another file'
    ]


def test_a_pathway_about_schemes_of_others_is_not_offered(tmp_path):
    (tmp_path / "p.toml").write_text(HEAD + step('certification = "elsewhere"'), "utf-8")

    assert pathways.load(tmp_path, SCHEMES, CATALOG) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'{ACTIVITY}[credentials.a]\nname = "x"\n{REST}', "credentials.a.issuer"),
        (f'{ACTIVITY}[credentials.a]\nname = "x"\nissuer = "y"\n{REST}levels = [1]\n', ":10:"),
        ("[", "is not valid TOML"),
    ],
)
def test_a_mistake_in_the_catalog_names_its_line_or_key(tmp_path, text, told):
    path = tmp_path / "credentials.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(SchemesRefusedError) as found:
        credentials.load(path)

    assert told in str(found.value.mistakes[0])

"""Route templates, pair by pair."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.routes import parse_template

_CASES = json.loads((Path(__file__).parent / "data" / "routes.json").read_text("utf-8"))


@pytest.mark.parametrize(("template", "path", "parameters"), _CASES)
def test_match(template: str, path: str, parameters: dict[str, str] | None) -> None:
    assert parse_template(template).match(path) == parameters


def test_more_specific_templates_come_first() -> None:
    texts = ["{*rest}", "items/{id}", "items/{*rest}", "items/{id:int}", "items/new", "{a}/{b}"]
    ordered = sorted((parse_template(text) for text in texts), key=lambda one: one.precedence)
    assert [one.text for one in ordered] == [
        "items/new",
        "items/{id:int}",
        "items/{id}",
        "items/{*rest}",
        "{a}/{b}",
        "{*rest}",
    ]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a/{b", "a brace that is not closed"),
        ("a/b}", "a brace too many"),
        ("a//b", "two slashes in a row"),
        ("a/{x}{y}", "two parameters with nothing between"),
        ("a/{x:}", "an empty constraint"),
        ("a/{}", "a parameter {} that is none"),
        ("a/{x}/{X}", "two parameters of one name"),
        ("a/{x:colour}", "a constraint 'colour' that is not known"),
        ("a/{x:min(y)}", "a constraint min(y) that is wrong"),
        ("a/{x:regex([)}", "a constraint regex([) that is wrong"),
        ("x" * 3000, "has 3000 characters"),
    ],
)
def test_template_that_is_not_valid(template: str, message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the message is looked at
        parse_template(template)
    assert message in str(raised.value)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_a_template_or_is_not(template: str, path: str) -> None:
    try:
        parsed = parse_template(template)
    except ValueError:
        return
    parsed.match(path)


def test_long_paths_are_matched_in_little_time() -> None:
    template = parse_template("a/{x}-{y}-{z}/b/{*rest}")
    begin = time.monotonic()
    assert template.match("a/" + "-" * 50_000 + "/c") is None
    assert template.match("a/" + "x-" * 50_000 + "/b/" + "/" * 50_000) is not None
    assert time.monotonic() - begin < 2

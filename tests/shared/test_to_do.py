"""What is left to do, from what was found: data/to_do/recovered.json.

A case has what `differs` from a database with nothing to be said of, and the codes that are
expected with what their texts must hold; `absent` may stand in none of them.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from local.folders import REPOSITORY
from shared.aftermath import Aftermath
from shared.records import MigrationOrder, MigrationProgress, RehearsalOf, SourceDatabase
from shared.to_do import describe_recovered, describe_steps, list_to_do
from shared.vocabulary import MigrationStatus, ToDo
from tests.backhaul.answers import OPERATION, SERVER, START

CASES = json.loads((REPOSITORY / "tests/data/to_do/recovered.json").read_text(encoding="utf-8"))
PLAIN = {
    "state": "ONLINE",
    "owner": "svc",
    "login": "svc",
    "compatibility_level": 160,
    "recovery_model": "FULL",
    "page_verify": "CHECKSUM",
    "is_trustworthy_on": True,
    "is_broker_enabled": True,
    "is_encrypted": False,
    "is_cdc_enabled": False,
}
ORDER = MigrationOrder(
    id="m",
    operation_id=OPERATION,
    target="vm",
    target_database="a]b'c",
    folder="f",
    created_on=START,
)


def progress_of(case: dict[str, Any]) -> MigrationProgress:
    facts = None if case["facts"] is None else PLAIN | case["facts"]
    return MigrationProgress(
        operation_id=OPERATION,
        status=MigrationStatus.SUCCEEDED,
        source=SourceDatabase(database_name="SalesProd", server_name="SQL01"),
        server=SERVER.model_copy(update={"engine_edition": case.get("engine_edition", 3)}),
        aftermath=Aftermath.model_validate(
            {
                "opened_on": START,
                "steps": case["steps"],
                "orphans": case.get("orphans"),
                "facts": facts,
                "source": case["source"],
            }
        ),
    )


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_what_applies_is_listed_with_its_names(case: dict[str, Any]) -> None:
    progress = progress_of(case)
    listed = {item.code.value: item.text for item in list_to_do(ORDER, progress)}
    assert set(listed) == set(case["expected"])
    for code, parts in case["expected"].items():
        assert all(part in listed[code] for part in parts), listed[code]
        assert listed[code].endswith(".")
    assert not any(part in text for part in case.get("absent", ()) for text in listed.values())
    assert case.get("first") in (None, next(iter(listed)))
    steps = describe_steps(progress.aftermath)
    assert [step.name.value for step in steps] == [step["name"] for step in case["steps"]]
    shown = describe_recovered(progress.aftermath, progress.server)
    assert (shown is None) == (case["facts"] is None)


def test_nothing_is_left_to_do_before_the_database_is_open() -> None:
    for status in MigrationStatus:
        assert list_to_do(ORDER, MigrationProgress(operation_id=UUID(int=1), status=status)) == []


def test_a_database_that_a_cancel_left_is_told() -> None:
    progress = MigrationProgress(
        operation_id=OPERATION, status=MigrationStatus.CANCELED, left_as="open"
    )
    (item,) = list_to_do(ORDER, progress)
    assert item.code is ToDo.DATABASE_LEFT
    assert '"a]b\'c" is still on vm, open' in item.text


def test_hostile_names_are_told_and_not_refused() -> None:
    case = {**CASES[0], "orphans": {"count": 1, "users": [{"name": "a\n ", "sid": "", "kind": ""}]}}
    order = ORDER.model_copy(update={"target_database": "d\r "})
    listed = {item.code: item.text for item in list_to_do(order, progress_of(case))}
    assert "[a\n ]" in listed[ToDo.LOGINS]


def test_a_rehearsal_leaves_nothing_to_do() -> None:
    rehearsal = RehearsalOf(migration_id="m", operation_id=OPERATION)
    order = ORDER.model_copy(update={"rehearsal": rehearsal})
    assert list_to_do(ORDER, progress_of(CASES[0]))
    assert list_to_do(order, progress_of(CASES[0])) == []

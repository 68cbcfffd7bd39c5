"""What is found of a target, and what is concluded from it: the table in the data file."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from local.samples import SampleDatabase
from shared.after_recovery import AfterRecovery
from shared.errors import ConfigurationError, StorageError, TargetError, TargetUnavailable
from shared.explain import Explanation
from shared.preflight import Access, Found, judge, out_of_reach, renewed, reserved_by
from shared.records import MigrationOrder, MigrationProgress, Preflight, PreflightCheck
from shared.targets import (
    Certificate,
    Conditions,
    ContainerCredential,
    Folder,
    ServerFacts,
    Volume,
    faults,
)
from shared.targets.files import ListedFile
from shared.vocabulary import BlockingReason, MigrationStatus

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "preflight" / "cases.json").read_text(encoding="utf-8")
)
NOW = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
LIFETIME = timedelta(days=7) - timedelta(minutes=15)
SERVER: dict[str, Any] = {
    "server_name": "SQLVM",
    "product_version": "16.0.4150.1",
    "product_major_version": 16,
    "engine_edition": 3,
    "edition": "Developer Edition",
    "database_version": 957,
    "default_data_path": "D:\\",
    "default_log_path": "L:\\",
    "simulated": True,
}
CONDITIONS: dict[str, Any] = {
    "login": "backhaul",
    "may_create_databases": True,
    "may_read_history": True,
    "may_alter_credentials": True,
    "may_end_sessions": True,
    "takes_containers": True,
    "folders": [
        {"path": path, "exists": True, "mount": path, "free": 10_000, "certain": True}
        for path in ("D:\\", "L:\\")
    ],
    "certificates": [],
    "credential": {"identity": "SHARED ACCESS SIGNATURE", "is_signature": True, "age": 2},
    "why_no_agent": None,
}
FULL = SampleDatabase("Sales").full().header


def folder_of(row: dict[str, Any]) -> Folder:
    volume = (
        Volume(mount_point=row["mount"], available_bytes=row["free"]) if "mount" in row else None
    )
    return Folder(
        path=row["path"],
        exists=row["exists"],
        volume=volume,
        is_certain=row.get("certain", False),
    )


def conditions_of(row: dict[str, Any]) -> Conditions:
    given = {**CONDITIONS, **row}
    credential, certificates = given["credential"], given["certificates"]
    return Conditions(
        **{
            **given,
            "folders": tuple(folder_of(each) for each in given["folders"]),
            "certificates": None
            if certificates is None
            else tuple(
                Certificate(**{**each, "thumbprint": bytes.fromhex(each["thumbprint"])})
                for each in certificates
            ),
            "credential": credential
            and ContainerCredential(**{**credential, "age": timedelta(days=credential["age"])}),
        }
    )


def refusal_of(row: dict[str, Any]) -> TargetError:
    if row["number"] is None:
        return TargetError(row["text"], action="Shorten it.")
    text = f"[42000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]{row['text']}"
    told = faults.parse(("42000", f"{text} ({row['number']}) (SQLExecDirectW)"))
    error = faults.to_error(told, "RESTORE FILELISTONLY")
    assert isinstance(error, TargetError)
    return error


def found_of(case: dict[str, Any]) -> Found:
    """Return what a case says, over what is true of a server that fits."""
    files = case.get("files", [["Sales", "D", 1, 3000], ["Sales_log", "L", 2, 1000]])
    thumbprints = case.get("thumbprints", [])
    full = case.get("full", True)
    unplaced, no_credential = case.get("unplaced"), case.get("no_credential")
    return Found(
        now=NOW,
        server=ServerFacts(**{**SERVER, **case.get("server", {})}),
        conditions=conditions_of(case.get("conditions", {})),
        access=Access(
            **{
                "is_managed": True,
                "by_identity": False,
                "lifetime": LIFETIME,
                **case.get("access", {}),
            }
        ),
        restore_with=case.get("restore_with", "auto"),
        header=FULL if full else None,
        files=tuple(ListedFile(*file) for file in files) if full and files else None,
        room=case.get("room", {"D:\\": 3000, "L:\\": 1000}) if full and files else {},
        unplaced=TargetError(unplaced, action="Shorten it.") if unplaced else None,
        thumbprints=None
        if thumbprints is None or not full
        else tuple(map(bytes.fromhex, thumbprints)),
        refused=refusal_of(case["refused"]) if "refused" in case else None,
        no_credential=StorageError(no_credential, action="Let it.") if no_credential else None,
        reserved=case.get("reserved", {}),
        taken=Explanation(BlockingReason(case["taken"]), "It is there.", "Choose another.")
        if "taken" in case
        else None,
        is_allocated=case.get("is_allocated", False),
        after=AfterRecovery.model_validate(case.get("after", {})),
        owner_is_login=case.get("owner_is_login"),
        standby=case.get("standby", False),
    )


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_what_is_found_decides_every_check(case: dict[str, Any]) -> None:
    preflight = judge(found_of(case))
    checks = {check.name: check for check in preflight.checks}
    expected = dict(case["expect"])
    for name in checks if expected.pop("*", None) else ():
        expected.setdefault(name, {"state": "pass"})
    for name, wanted in expected.items():
        check = checks[name]
        assert check.state == wanted["state"], check
        assert check.required is wanted.get("required", True)
        assert [said for said in wanted.get("says", []) if said not in check.message] == []
        assert [said for said in wanted.get("not", []) if said in check.message] == []
        assert [said for said in wanted.get("action", []) if said not in check.action] == []
        assert bool(check.action) == (check.state == "fail")
    failed = preflight.failed
    assert (failed.code if failed else None) == (
        BlockingReason(case["blocks"]) if "blocks" in case else None
    )
    others = {c.name for c in preflight.checks if c.required and c.state == "fail"} - set(expected)
    assert others == set()


def test_every_check_is_in_the_table() -> None:
    named = {(name, wanted["state"]) for case in CASES for name, wanted in case["expect"].items()}
    for check in judge(found_of({})).checks:
        assert check.name == "connection" or (check.name, "fail") in named


def test_the_credential_is_looked_at_again_at_half_of_its_life() -> None:
    assert judge(found_of({})).renew_on == NOW + LIFETIME / 2 - timedelta(days=2)
    assert judge(found_of({"access": {"is_managed": False}})).renew_on is None


def test_a_renewal_touches_the_access_to_the_container_only() -> None:
    before = judge(found_of({"thumbprints": ["AA"], "conditions": {"certificates": []}}))
    fresh = {"identity": "SHARED ACCESS SIGNATURE", "is_signature": True, "age": 0}
    after = renewed(before, found_of({"full": False, "conditions": {"credential": fresh}}))
    changed = [new.name for old, new in zip(before.checks, after.checks, strict=True) if old != new]
    assert changed == ["containerAccess"]
    assert after.renew_on == NOW + LIFETIME / 2
    failed = renewed(before, found_of({"full": False, "no_credential": "no"}))
    assert failed.renew_on
    assert failed.renew_on >= NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TargetUnavailable("no answer"), BlockingReason.TARGET_NOT_READY),
        (TargetError("Login failed", number=18456), BlockingReason.TARGET_REFUSED),
        (ConfigurationError("no driver"), BlockingReason.TARGET_REFUSED),
        (TargetUnavailable("paused", number=18401), BlockingReason.TARGET_NOT_READY),
        (TargetUnavailable("storage does not answer it", number=3201), None),
        (TargetError("no room", number=3257), None),
    ],
)
def test_a_server_that_lets_nobody_in(error: TargetError, code: BlockingReason | None) -> None:
    preflight = out_of_reach(error, NOW)
    failed = preflight.failed if preflight else None
    assert (failed.code if failed else None) == code
    assert failed is None or (failed.name, failed.message) == ("connection", error.message)


def other(
    number: int, target: str = "t", **changes: Any
) -> tuple[MigrationOrder, MigrationProgress]:
    """Return a migration that needs 10 bytes on D: and has passed."""
    operation = UUID(int=number)
    order = MigrationOrder(
        id=f"m{number}",
        operation_id=operation,
        target=target,
        target_database=f"d{number}",
        folder=f"f{number}",
        created_on=NOW,
    )
    passed = Preflight(checked_on=NOW, checks=(), needs={"D:\\": 10})
    return order, MigrationProgress(**{"operation_id": operation, "preflight": passed, **changes})


def test_room_is_kept_for_those_that_passed_and_wait() -> None:
    bad = PreflightCheck(name="x", state="fail", message="", required=True)
    failed = Preflight(checked_on=NOW, checks=(bad,), needs={"D:\\": 10})
    mine, _ = other(1)
    everybody = [
        other(1),
        other(2),
        other(3),
        other(4, target="another"),
        other(5, begun=True),
        other(6, status=MigrationStatus.CANCELED),
        other(7, preflight=failed),
        other(8, preflight=None),
    ]
    assert reserved_by(everybody, mine) == {"D:\\": 20}

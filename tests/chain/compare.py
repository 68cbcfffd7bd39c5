"""Compares what a case of schema restore-chains/1 expects with what the planner said.

Only what is expected is compared, each field by its own rule.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_EXACT = ("stop_at", "waiting_for", "error", "restart_from", "single_target", "valid", "reason")
COUNTED = ("counts", "servers")
_IDENTITY = ("DatabaseName", "server", "AvailabilityGroupName", "FamilyGUID")


def matches(expected: Json, got: Json) -> bool:
    """Tell whether an answer is what is expected."""
    optional = set(expected.get("optional", ()))
    planned = got.get("plan", [])
    plans = expected.get("plan_any_of", [expected["plan"]] if "plan" in expected else None)
    checks = [
        _status_fits(expected, got, optional),
        plans is None or any(_without(planned, optional - set(p)) == p for p in plans),
        all(label not in planned for label in expected.get("not_contains", ())),
        all(_counts_fit(expected[key], got.get(key, {})) for key in COUNTED if key in expected),
        _all_fit(_files_fit, expected.get("plan_files"), got.get("plan_files")),
        _all_fit(_rejection_fits, expected.get("rejected"), got.get("rejected")),
        "databases" not in expected or _databases_fit(expected["databases"], got),
        "reason_any_of" not in expected or got.get("reason") in expected["reason_any_of"],
    ]
    checks.extend(got.get(key) == expected[key] for key in _EXACT if key in expected)
    return all(checks)


def _all_fit(fits: Any, expected: Json | None, got: Json | None) -> bool:
    return all(fits(want, (got or {}).get(label)) for label, want in (expected or {}).items())


def _status_fits(expected: Json, got: Json, optional: set[str]) -> bool:
    wanted, said = expected.get("status"), got.get("status")
    if wanted is None or said == wanted:
        return True
    planned = set(got.get("plan", ()))
    return (wanted, said) == ("idle", "ready") and bool(planned) and planned <= optional


def _without(planned: list[str], optional: set[str]) -> list[str]:
    return [label for label in planned if label not in optional]


def _counts_fit(expected: Json, got: Json) -> bool:
    return all(got.get(key, 0) == expected.get(key, 0) for key in {*expected, *got})


def _files_fit(expected: Any, got: list[str] | None) -> bool:
    if got is None:
        return False
    if isinstance(expected, dict):
        return any(got in (choice, [choice]) for choice in expected["one_of"])
    return len(got) == len(expected) and all(
        have in want["one_of"] if isinstance(want, dict) else have == want
        for want, have in zip(expected, got, strict=True)
    )


def _rejection_fits(expected: Json, got: Json | None) -> bool:
    if got is None:
        return False
    reasons = expected.get("reason_any_of", [expected.get("reason", got["reason"])])
    return got["reason"] in reasons and got.get("error") == expected.get("error", got.get("error"))


def _databases_fit(expected: list[Json], got: Json) -> bool:
    have = got.get("databases", [got])
    return len(have) == len(expected) and all(
        any(
            all(one.get(key) == want[key] for key in _IDENTITY if key in want)
            and matches({k: v for k, v in want.items() if k not in _IDENTITY}, one)
            for one in have
        )
        for want in expected
    )

"""Cutovers that end at a stop point: refused when no log can lead there, moved until it is late."""

from __future__ import annotations

from shared.chain import PlanStatus, plan_restore
from shared.errors import RequestError
from shared.explain import Explanation, explain_plan
from shared.looking import gather, read_migration
from shared.models import CutoverReadiness, CutoverRequest, ReadinessCheck
from shared.outlook import goal_of, position_of
from shared.readiness import EXCUSED_BY_DATA_LOSS
from shared.records import CutoverOrder, MigrationOrder, MigrationProgress
from shared.stop_point import StopPoint
from shared.stopping import explain_passed, not_restored
from shared.workplace import Workplace

_PASSED = 4335


def moves_stop(under_way: CutoverOrder, request: CutoverRequest) -> bool:
    """Tell whether a request moves the stop point of a cutover that is under way."""
    stop = request.stop_at
    return stop is not None and under_way.stop is not None and stop != under_way.stop


def refuse_passed(
    place: Workplace, order: MigrationOrder, progress: MigrationProgress, stop: StopPoint
) -> None:
    """Refuse a stop point that no log can lead to any more, as far as that is known."""
    if (why := _why_passed(place, order, progress, stop)) is not None:
        raise RequestError(409, "StopPointNotPossible", why.reason, action=why.action)


def ready_to_stop(
    place: Workplace, migration: str, readiness: CutoverReadiness, stop: StopPoint
) -> CutoverReadiness:
    """Return the checks of a cutover that ends at a stop point: it waits for what is missing."""
    order, stored = read_migration(place, migration)
    why = _why_passed(place, order, stored.now, stop)
    waited_for = {*EXCUSED_BY_DATA_LOSS, "fullBackupRestored", "targetReady"}
    if not stored.now.status.is_final and order.cancel is None:
        waited_for |= {"statusAllowsCutover", "targetDatabaseRestoring"}
    if order.cutover is not None and order.cutover.stop is not None:
        # It can be moved.
        waited_for.add("notAlreadyRequested")
    checks = [
        check.model_copy(update={"required": check.required and check.name not in waited_for})
        for check in readiness.checks
    ]
    checks.append(
        ReadinessCheck(
            name="stopPointPossible",
            state="pass" if why is None else "fail",
            message="" if why is None else why.reason,
            required=True,
        )
    )
    ready = all(check.state == "pass" for check in checks if check.required)
    return readiness.model_copy(update={"checks": checks, "ready": ready})


def _why_passed(
    place: Workplace, order: MigrationOrder, progress: MigrationProgress, stop: StopPoint
) -> Explanation | None:
    now = place.now()
    wish = CutoverOrder(stop=stop, awaited=True, requested_on=now, expires_on=now)
    wished = order.model_copy(update={"cutover": wish})
    why = explain_passed(progress, stop)
    if why is None and progress.last_restored is not None:
        _, known = gather(place, wished, progress)
        sets = not_restored(known.sets, progress)
        plan = plan_restore(sets, position_of(progress), goal_of(wished))
        if plan.error == _PASSED or plan.status is PlanStatus.IMPOSSIBLE:
            why = explain_plan(plan, after=progress.last_restored.files[0])
    return why


def put_back_if_late(place: Workplace, order: MigrationOrder, wish: CutoverOrder) -> None:
    """Refuse a new stop point, written already, if the database is opened at the one before.

    Whoever opens it writes that down first and then looks at the order again, so that one of both
    sees the other.
    """
    _, stored = read_migration(place, order.id)
    if not (stored.now.recovering or stored.now.aftermath or stored.now.status.is_final):
        return
    before = {"cutover": order.cutover}
    place.catalog.change_order(
        order.id, lambda old: old.model_copy(update=before) if old.cutover == wish else old
    )
    raise RequestError(
        409,
        "OperationInProgress",
        f"the database is being opened at {order.cutover.stop if order.cutover else 'its end'}",
        action="look at the migration; to end elsewhere, start a new one",
    )

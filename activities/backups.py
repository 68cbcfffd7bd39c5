"""Activities on one backup file."""

from activities.place import workplace
from shared.arrivals import check_blob, verify_blob
from shared.explain import clipped
from shared.models import ArrivedBlob
from shared.records import FileRecord
from shared.verifying import percent_of


def check_backup(request: dict) -> dict:
    """Judge a blob and write the verdict down; return it with the id of its migration.

    It is `Verifying` if the migration asks for more than the header: `verify_backup` is to go on.
    """
    blob = ArrivedBlob.model_validate(request)
    return _verdict(blob, *check_blob(workplace(), blob.name))


def verify_backup(request: dict) -> dict:
    """Read a blob further, for less than a minute; return the verdict, or `Verifying` again."""
    blob = ArrivedBlob.model_validate(request)
    return _verdict(blob, *verify_blob(workplace(), blob.name))


def _verdict(blob: ArrivedBlob, record: FileRecord | None, migration_id: str | None) -> dict:
    verdict = {"name": clipped(blob.name, 1000), "migrationId": migration_id}
    if record is None:
        return {**verdict, "verdict": "Gone"}
    if check := record.verifying:
        percent = {"level": check.level.value, "percentCompleted": percent_of(check)}
        return {**verdict, "verdict": "Verifying", **percent}
    if record.refusal is None:
        return {**verdict, "verdict": "Accepted"}
    refusal = record.refusal
    # It becomes a custom status, of which Durable Functions takes at most 16 KiB.
    return {
        **verdict,
        "verdict": refusal.code.value,
        "reason": clipped(refusal.reason, 1000),
        "action": clipped(refusal.action, 1000),
    }

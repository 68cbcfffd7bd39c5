"""Activities on one backup file."""

from activities.place import workplace
from shared.arrivals import check_blob
from shared.explain import clipped
from shared.models import ArrivedBlob


def check_backup(request: dict) -> dict:
    """Judge a blob and write the verdict down; return it with the id of its migration."""
    blob = ArrivedBlob.model_validate(request)
    record, migration_id = check_blob(workplace(), blob.name)
    verdict = {"name": clipped(blob.name, 1000), "migrationId": migration_id}
    if record is None:
        return {**verdict, "verdict": "Gone"}
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

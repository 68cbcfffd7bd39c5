"""ALTER DATABASE ... SET: what may be changed in which state.

Source: Microsoft Learn, "ALTER DATABASE SET options" and "ALTER DATABASE compatibility level".
"""

from __future__ import annotations

from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.model import Database, DatabaseState
from local.sqlserver.engine.sessions import Session
from local.sqlserver.errors import not_simulated, refuse

_OLDEST_LEVEL = 100
_EXCLUSIVE = {"user_access", "is_read_only", "is_broker_enabled"}


def alter_database(
    instance: Instance, name: str, option: str, value: str, session: Session, *, rolls_back: bool
) -> None:
    """Set an option; raises 5011, 5052, 5063, 5070 or 15048, each but the last with 5069."""
    with instance.lock:
        database = instance.find(name)
        if database is None or not instance.is_owner(session, database):
            raise refuse(5011, name).then(5069)
        if database.is_in_standby:
            raise refuse(5063, database.name).then(5069)
        if database.state is not DatabaseState.ONLINE:
            state = database.state.name.capitalize()
            raise refuse(5052, "ALTER DATABASE", state).then(5069)
        update = _update(instance, option, value)
        if option == "TRUSTWORTHY" and not instance.logins.is_sysadmin(session.login):
            raise refuse(15247).then(5069)
        if _EXCLUSIVE & update.keys():
            _require_alone(instance, database, session, rolls_back=rolls_back)
        instance.save(database.model_copy(update=update))


def _update(instance: Instance, option: str, value: str) -> dict[str, object]:
    if option == "COMPATIBILITY_LEVEL":
        level = int(value)
        newest = instance.settings.product.compatibility_level
        levels = range(_OLDEST_LEVEL, newest + 1, 10)
        if level not in levels:
            *others, last = map(str, levels)
            raise refuse(15048, f"{', '.join(others)} or {last}")
        return {"compatibility_level": level}
    if option == "ACCESS":
        return {"user_access": value}
    if option == "RECOVERY":
        return {"recovery_model": value.replace("_", "-")}
    if option == "PAGE_VERIFY":
        return {"page_verify": value}
    if option == "TRUSTWORTHY":
        return {"is_trustworthy_on": value == "ON"}
    if option == "BROKER":
        return {"is_broker_enabled": value == "ENABLE_BROKER"}
    if value in ("READ_ONLY", "READ_WRITE"):
        return {"is_read_only": value == "READ_ONLY"}
    raise not_simulated(f"ALTER DATABASE SET {value}")


def _require_alone(
    instance: Instance, database: Database, session: Session, *, rolls_back: bool
) -> None:
    """Throw other sessions out of a database, or raise 5070 if that was not asked for."""
    others = instance.sessions.occupants(database.database_id) - {session.session_id}
    if others and not rolls_back:
        raise refuse(5070, database.name).then(5069)
    for other in others:
        instance.sessions.kill(other, session)

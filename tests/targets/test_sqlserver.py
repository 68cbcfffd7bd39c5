from __future__ import annotations

import json
import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from local.samples import SampleBackup, SampleDatabase, appended
from local.sqlserver import Server
from shared.backupset import BackupType
from shared.chain import DatabaseState
from shared.errors import ConfigurationError, TargetError, TargetUnavailable
from shared.lsn import Lsn
from shared.targets import RestoreOrder, Target, tsql
from shared.targets.connection import SqlServerConnection
from shared.targets.files import ListedFile, place_files
from shared.targets.sqlserver import SqlServerTarget
from tests.targets.blobs import SIGNATURE, Container
from tests.targets.conftest import login_at, raw_connection, target_on
from tests.targets.names import NASTY
from tests.targets.restores import always, files_of, order_of, upload, with_added_file

EXPIRED = timedelta(seconds=-1)
ABSENT, RESTORING, ONLINE = DatabaseState.ABSENT, DatabaseState.RESTORING, DatabaseState.ONLINE


def test_server_says_what_it_is_and_that_it_is_simulated(target: Target) -> None:
    facts = target.read_server()
    assert facts.simulated
    assert facts.product_version.startswith(f"{facts.product_major_version}.")
    assert facts.default_data_path == "/var/opt/mssql/data/"
    assert facts.database_version > 900


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_every_statement_carries_every_name(
    server: Server, target: Target, container: Container, name: str
) -> None:
    # Shorter, since the names of its files are longer.
    source = SampleDatabase(name[:60], seed=1)
    backups = [source.full(stripes=2), source.log(), source.differential(), source.log()]
    assert target.read_position(name).state is ABSENT
    for backup in backups:
        target.restore(order_of(container, backup, name), always)
        assert target.read_position(name).state is RESTORING
    target.recover(name)
    assert target.read_position(name).state is ONLINE

    history = target.read_restore_history(name, 0)
    assert [row.backup_set_guid for row in history] == [b.header.backup_set_guid for b in backups]
    assert [row.restore_type for row in history] == ["D", "L", "I", "L"]
    assert not any(row.replace or row.recovery for row in history)
    assert target.read_restore_history(name, history[1].restore_history_id) == history[2:]
    assert files_of(server, name) == {
        move.path
        for move in place_files(
            name,
            [ListedFile("", "D", 1), ListedFile("", "L", 2)],
            data_path="/var/opt/mssql/data/",
            log_path="/var/opt/mssql/data/",
        )
    }


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_a_restoring_database_of_any_name_is_dropped(
    target: Target, container: Container, name: str
) -> None:
    name = "drop" + name[4:]
    target.restore(order_of(container, SampleDatabase("x").full(), name), always)
    target.drop(name)
    assert target.read_position(name).state is ABSENT
    target.drop(name)


@pytest.mark.parametrize(
    "blob", ["it's [a]; --.bak", "数据库 🛢️.bak", "50% #1 a+b.bak", "x{fn y}.bak"]
)
def test_blobs_of_any_name_are_read(target: Target, container: Container, blob: str) -> None:
    full = SampleDatabase("blobs").full()
    url = container.put(blob, full.to_bytes()[0])
    (header,) = target.read_headers([url])
    assert header.backup_set_guid == full.header.backup_set_guid


def test_header_of_the_server_is_the_header_of_the_backup(
    target: Target, container: Container
) -> None:
    source = SampleDatabase("Sales \N{OIL DRUM}", seed=3, checksums=False)
    source.full()
    differential = source.differential(stripes=3)
    (seen,) = target.read_headers(upload(container, differential))
    expected = differential.header.model_dump()
    assert seen.model_dump() == {column: expected[column] for column in seen.model_dump()}


def test_each_set_on_the_media_has_a_header(target: Target, container: Container) -> None:
    source = SampleDatabase("twice")
    media = appended(source.full(), source.log())
    headers = target.read_headers(upload(container, media))
    assert [header.position for header in headers] == [1, 2]


def far_on(name: str) -> SampleDatabase:
    """Return a database whose LSNs do not fit into 64 bits, nor exactly into a float."""
    source = SampleDatabase(name)
    source._state = replace(source._state, end=Lsn.of(4_000_000_000, 500, 1))
    return source


def test_lsns_beyond_64_bits_are_exact(target: Target, container: Container) -> None:
    source = far_on("far")
    full, log = source.full(), source.log()
    assert full.header.last_lsn > 2**64
    (header,) = target.read_headers(upload(container, log))
    assert (header.first_lsn, header.last_lsn) == (log.header.first_lsn, log.header.last_lsn)
    target.restore(order_of(container, full, "far"), always)
    position = target.read_position("far")
    assert position.redo_start_lsn == full.header.last_lsn
    assert position.differential_base_lsn == full.header.checkpoint_lsn
    assert position.differential_base_guid == full.header.backup_set_guid
    target.restore(order_of(container, log, "far"), always)
    redo = target.read_position("far").redo_start_lsn
    assert redo is not None
    assert full.header.last_lsn < redo <= log.header.last_lsn


def test_numbers_of_the_server_reach_the_caller(target: Target, container: Container) -> None:
    def refused(backup: SampleBackup, database: str) -> TargetError:
        with pytest.raises(TargetError) as refusal:
            target.restore(order_of(container, backup, database), always)
        assert refusal.value.action
        assert not isinstance(refusal.value, TargetUnavailable)
        return refusal.value

    source = SampleDatabase("numbers")
    first, log, gap, late = source.full(), source.log(), source.log(), source.log()
    other = SampleDatabase("other")
    other.full()
    second = source.full()
    differential = source.differential()
    assert refused(log, "numbers").number == 3118
    target.restore(order_of(container, first, "numbers"), always)
    target.restore(order_of(container, log, "numbers"), always)
    assert refused(late, "numbers").number == 4305
    assert refused(log, "numbers").number == 4326
    assert refused(differential, "numbers").number == 3136
    assert refused(other.log(), "numbers").number == 3154
    target.restore(order_of(container, gap, "numbers"), always)
    target.recover("numbers")
    assert refused(late, "numbers").number == 3117
    assert refused(second, "numbers").number is None


def test_a_full_is_not_restored_over_a_restored_one(target: Target, container: Container) -> None:
    source = SampleDatabase("once")
    full, log = source.full(), source.log()
    for backup in (full, log):
        target.restore(order_of(container, backup, "once"), always)
    before = target.read_position("once")
    with pytest.raises(TargetUnavailable, match="without the message of success"):
        target.restore(order_of(container, full, "once"), always)
    assert target.read_position("once") == before
    assert len(target.read_restore_history("once", 0)) == 2


def test_faults_of_the_device_are_told_apart(target: Target, container: Container) -> None:
    def refused(url: str) -> TargetError:
        with pytest.raises(TargetError) as refusal:
            target.read_headers([url])
        return refusal.value

    full = SampleDatabase("device").full().to_bytes()[0]
    text = refused(container.put("text.bak", b"this is no backup"))
    assert (text.number, type(text)) == (3241, TargetError)
    cut = refused(container.put("cut.bak", full[: len(full) // 2]))
    assert (cut.number, type(cut)) == (3256, TargetError)
    empty = refused(container.put("empty.bak", b""))
    assert empty.number == 3254
    missing = refused(container.url_of("missing.bak"))
    assert (missing.number, type(missing)) == (3201, TargetError)
    assert "still there" in missing.action
    container.refusal = HTTPStatus.SERVICE_UNAVAILABLE
    try:
        busy = refused(container.put("busy.bak", full))
    finally:
        container.refusal = None
    assert (busy.number, type(busy)) == (3271, TargetUnavailable)
    foreign = refused("http://127.0.0.1:9/account/elsewhere/a.bak")
    assert (foreign.number, type(foreign)) == (3201, TargetError)
    assert "credential" in foreign.action


def test_full_is_never_restored_over_a_database_that_is_open(
    server: Server, target: Target, container: Container
) -> None:
    # In the simple model the server itself would let it happen: there is no tail to save.
    source = SampleDatabase("open", recovery_model="SIMPLE")
    target.restore(order_of(container, source.full(), "open"), always)
    target.recover("open")
    before = target.read_restore_history("open", 0)
    with pytest.raises(TargetError, match="is ONLINE"):
        target.restore(order_of(container, source.full(), "open"), always)
    assert target.read_restore_history("open", 0) == before
    with raw_connection(server) as connection:
        connection.execute("CREATE DATABASE [somebody's]")
    with pytest.raises(TargetError, match="is ONLINE"):
        target.restore(order_of(container, source.full(), "somebody's"), always)


def test_recovery_is_done_once_and_needs_a_database(target: Target, container: Container) -> None:
    source = SampleDatabase("recover")
    target.restore(order_of(container, source.full(), "recover"), always)
    target.recover("recover")
    target.recover("recover")
    with pytest.raises(TargetError, match=r"is not on 127\.0\.0\.1"):
        target.recover("no such database")


def test_an_open_database_is_not_dropped(target: Target, container: Container) -> None:
    target.restore(order_of(container, SampleDatabase("keep").full(), "keep"), always)
    target.recover("keep")
    with pytest.raises(TargetError, match="is ONLINE, not RESTORING"):
        target.drop("keep")
    assert target.read_position("keep").state is ONLINE


def test_the_server_itself_looks_at_the_state_before_it_drops(
    server: Server, target: Target, container: Container
) -> None:
    """Somebody recovers the database after our look, when the statement is on its way already."""
    name = "it's [late]"
    target.restore(order_of(container, SampleDatabase("x").full(), name), always)
    late = "WAITFOR DELAY '00:00:01'\n" + tsql.drop_database(name)

    def drop() -> None:
        with raw_connection(server) as connection:
            connection.execute(late)

    with ThreadPoolExecutor(1) as pool:
        dropping = pool.submit(drop)
        target.recover(name)
        dropping.result()
    assert target.read_position(name).state is ONLINE


@pytest.mark.parametrize("kind", ["log", "differential"])
def test_a_file_that_came_later_is_moved_to_the_default_folder(
    server: Server, target: Target, container: Container, kind: str
) -> None:
    source, name = SampleDatabase("added"), f"added by a {kind}"
    target.restore(order_of(container, source.full(), name), always)
    later = with_added_file(source.log() if kind == "log" else source.differential())
    target.restore(order_of(container, later, name), always)
    assert f"/var/opt/mssql/data/{name}_3.ndf" in files_of(server, name)


def test_a_later_set_without_new_files_keeps_the_refusal(
    target: Target, container: Container
) -> None:
    source = SampleDatabase("kept")
    target.restore(order_of(container, source.full(), "kept"), always)
    source.log()
    with pytest.raises(TargetError) as refusal:
        target.restore(order_of(container, source.log(), "kept"), always)
    assert refusal.value.number == 4305


def test_two_databases_from_one_backup_do_not_meet(target: Target, container: Container) -> None:
    full = SampleDatabase("same").full()
    for name in ("a:b", "a?b", "a_b"):
        target.restore(order_of(container, full, name), always)
        assert target.read_position(name).state is RESTORING


def test_credential_is_made_once_and_renewed_at_half_its_life(
    server: Server, container: Container, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = "https://account.blob.core.windows.net/credentials"
    asked: list[str] = []

    def secret() -> str:
        asked.append(f"sv=1&sig=HUSH{len(asked)}")
        return asked[-1]

    with caplog.at_level(logging.DEBUG, "shared"), target_on(server) as target:
        target.ensure_credential(url + "/", secret)
        target.ensure_credential(url, secret)
        assert len(asked) == 1
        with target_on(server, sas_lifetime=EXPIRED) as hasty:
            hasty.ensure_credential(url, secret)
        assert len(asked) == 2
    assert "renewed the credential" in caplog.text
    assert "HUSH" not in caplog.text
    assert secrets_of(server)[url] == "sv=1&sig=HUSH1"


def secrets_of(server: Server) -> dict[str, str]:
    return {credential.name: credential.secret for credential in server.instance.credentials.all()}


def test_credential_of_a_managed_identity_is_left_alone(server: Server) -> None:
    url = "https://account.blob.core.windows.net/identity"
    with raw_connection(server) as connection:
        connection.execute(f"CREATE CREDENTIAL [{url}] WITH IDENTITY = 'Managed Identity'")
    with target_on(server, sas_lifetime=EXPIRED) as target:
        target.ensure_credential(url, lambda: pytest.fail("no secret is needed"))


def test_credential_that_somebody_else_made_meanwhile_will_do(server: Server) -> None:
    url = "https://account.blob.core.windows.net/race"

    def slow_secret() -> str:
        with raw_connection(server) as connection:
            connection.execute(
                f"CREATE CREDENTIAL [{url}] WITH IDENTITY = 'SHARED ACCESS SIGNATURE',"
                " SECRET = 'theirs'"
            )
        return "ours"

    with target_on(server) as target:
        target.ensure_credential(url, slow_secret)
    assert secrets_of(server)[url] == "theirs"


def test_secret_is_in_no_error(server: Server) -> None:
    url = "https://account.blob.core.windows.net/gone"

    def secret() -> str:
        with raw_connection(server) as connection:
            connection.execute(f"DROP CREDENTIAL [{url}]")
        return "sig=HUSH"

    with target_on(server, sas_lifetime=EXPIRED) as target:
        target.ensure_credential(url, lambda: "sig=FIRST")
        with pytest.raises(TargetError) as refusal:
            target.ensure_credential(url, secret)
        assert refusal.value.number == 15151
        for wrong in ("sig=HUSH\n", "sig=HUSH" * 1000):
            with pytest.raises(TargetError) as bad:
                target.ensure_credential(url, lambda text=wrong: text)  # type: ignore[misc]  # bound now
            assert "HUSH" not in "".join(traceback.format_exception(bad.value))
    assert "HUSH" not in "".join(traceback.format_exception(refusal.value))


def test_a_wrong_signature_is_told_as_a_secret_to_renew(
    tmp_path: Path, server: Server, container: Container
) -> None:
    full = order_of(container, SampleDatabase("expired").full(), "expired")
    with target_on(server) as target:
        container.signature = "another"
        try:
            with pytest.raises(TargetError) as refusal:
                target.restore(full, always)
        finally:
            container.signature = SIGNATURE
    assert refusal.value.number == 3201
    assert "Renew the secret" in refusal.value.action
    assert SIGNATURE not in str(refusal.value)


@pytest.mark.parametrize("encrypt", ["yes", "no"])
def test_login_with_and_without_encryption(server: Server, encrypt: str) -> None:
    target = SqlServerTarget(login_at(server.port, encrypt=encrypt))
    assert target.read_position("no such").state is ABSENT
    target.close()
    assert target.read_position("no such").state is ABSENT
    target.close()


def test_a_wrong_password_is_final_and_not_shown(server: Server) -> None:
    target = SqlServerTarget(login_at(server.port, password=SecretStr("HUSH")))
    with pytest.raises(TargetError) as refusal:
        target.read_server()
    assert refusal.value.number == 18456
    assert not isinstance(refusal.value, TargetUnavailable)
    assert "HUSH" not in "".join(traceback.format_exception(refusal.value))


def test_a_certificate_that_nobody_signed_is_a_matter_of_configuration(server: Server) -> None:
    target = SqlServerTarget(login_at(server.port, trust_server_certificate=False))
    with pytest.raises(ConfigurationError, match="certificate"):
        target.read_server()


def test_a_server_that_does_not_listen_may_do_so_later() -> None:
    settings = SqlServerConnection(
        server="127.0.0.1", port=1, user="u", password=SecretStr("p"), login_timeout_s=1
    )
    with pytest.raises(TargetUnavailable, match=r"connecting to 127\.0\.0\.1,1 failed"):
        SqlServerTarget(settings).read_server()


def test_real_chain_is_restored_as_its_headers_say(
    target: Target, shared_dir: Path, container: Container
) -> None:
    folder = "dataplat__appveyor-lab/RestoreTimeClean"
    names = ["RestoreTimeClean.bak", *(f"RestoreTimeClean_{number}.trn" for number in (1, 2, 3))]
    facts = manifest(shared_dir)
    for name in names:
        url = container.put(name, (shared_dir / "backups" / folder / name).read_bytes())
        (header,) = target.read_headers([url])
        expected = facts[f"{folder.replace('__', '/')}/{name}"]
        assert str(header.backup_set_guid).upper() == expected["BackupSetGUID"]
        assert str(header.first_lsn) == expected["FirstLSN"]
        assert str(header.last_lsn) == expected["LastLSN"]
        assert str(header.checkpoint_lsn) == expected["CheckpointLSN"]
        target.restore(
            RestoreOrder(
                database="RestoreTimeClean",
                backup_set_guid=header.backup_set_guid,
                backup_type=BackupType(header.backup_type),
                urls=(url,),
                checksum=header.has_backup_checksums,
            ),
            always,
        )
    target.recover("RestoreTimeClean")
    history = target.read_restore_history("RestoreTimeClean", 0)
    assert [row.restore_type for row in history] == ["D", "L", "L", "L"]


def manifest(shared_dir: Path) -> dict[str, dict[str, Any]]:
    text = (shared_dir / "backups" / "MANIFEST.json").read_text(encoding="utf-8")
    return {
        file["path"].replace("__", "/"): file["sets"][0]["HEADERONLY"]
        for file in json.loads(text)["files"]
        if file.get("sets")
    }

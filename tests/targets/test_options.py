"""Options of a migration in real restores: places of files, sizes of the transfer, both runners."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest

from local.samples import SampleDatabase
from local.sqlserver import Server, Settings, serve
from shared.errors import TargetError
from shared.restore_options import LARGEST_TRANSFER, RestoreOptions
from shared.targets import Target
from shared.targets.sqlserver import SqlServerTarget
from shared.targets.transfer import LARGE_BYTES
from tests.targets.blobs import SIGNATURE, Container
from tests.targets.conftest import PASSWORD, login_at
from tests.targets.names import NASTY
from tests.targets.restores import always, files_of, order_of, with_added_file

SEPARATORS = r"[\\/]"
DATA, LOGS = "D:\\Sales's [data]", "L:\\数据库"


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with folders of its own for some databases."""
    folder = tmp_path_factory.mktemp("windows")
    settings = Settings(
        data=folder,
        password=PASSWORD,
        data_path="C:\\Data\\",
        log_path="C:\\Log\\",
        directories=(DATA, LOGS),
    )
    with serve(settings) as running:
        yield running


@pytest.fixture(params=["agent", "inline"])
def target(
    request: pytest.FixtureRequest, windows: Server, container: Container
) -> Iterator[SqlServerTarget]:
    with closing(
        SqlServerTarget(login_at(windows.port), watch_interval_s=0.05, restore_with=request.param)
    ) as opened:
        opened.ensure_credential(container.url, lambda: SIGNATURE)
        yield opened


def do(target: Target, *orders: object) -> None:
    """Restore with the runner that the target has."""
    if not target.detaches():
        for order in orders:
            target.restore(order, always)  # type: ignore[arg-type]  # an order, from order_of
        return
    database = orders[0].database  # type: ignore[attr-defined]  # an order, from order_of
    target.start_batch(uuid4(), orders)  # type: ignore[arg-type]  # orders, from order_of
    deadline = time.monotonic() + 30
    while (batch := target.find_batch(database)) and batch.running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert batch is not None
    target.end_batch(batch)
    if batch.error is not None:
        raise batch.error


@pytest.mark.parametrize("case", ["brackets-quotes-comment", "longest", "non-latin", "agent-token"])
def test_files_of_any_name_go_where_the_options_say(
    windows: Server, target: Target, container: Container, case: str
) -> None:
    name = NASTY[case]
    database = f"{'a' if target.detaches() else 'i'}{name[1:]}"
    source = SampleDatabase(name[:60], seed=2)
    full, log = source.full(), source.log()
    data = full.files[0].logical_name
    # Separators apart, a path may hold whatever a name may; the simulated server minds no more.
    place = f"{DATA}\\{re.sub(SEPARATORS, '-', database[:60])}'s.mdf"
    options = RestoreOptions(log_folder=LOGS, move_files={data: place})
    large = {"options": options, "size_bytes": LARGE_BYTES}
    do(target, order_of(container, full, database, **large))
    do(target, order_of(container, log, database, **large))
    placed = files_of(windows, database)
    assert place in placed
    (other,) = placed - {place}
    assert other.startswith(f"{LOGS}\\")
    assert other.endswith("_log.ldf")
    target.drop(database)


@pytest.mark.parametrize("kind", ["log", "differential"])
def test_a_file_that_came_later_goes_where_the_options_say(
    windows: Server, target: Target, container: Container, kind: str
) -> None:
    runner = "agent" if target.detaches() else "inline"
    for options, path in (
        (RestoreOptions(data_folder=DATA), f"{DATA}\\later {kind} {runner} 0_3.ndf"),
        (RestoreOptions(move_files={"ADDED": f"{LOGS}\\x.ndf", "no more": "C:\\y"}), None),
    ):
        database = f"later {kind} {runner} {int(path is None)}"
        source = SampleDatabase("later")
        first = options if path else RestoreOptions()
        do(target, order_of(container, source.full(), database, options=first))
        later = with_added_file(source.log() if kind == "log" else source.differential())
        do(target, order_of(container, later, database, options=options, brings_files=True))
        assert (path or f"{LOGS}\\x.ndf") in files_of(windows, database)
        target.drop(database)


def test_what_is_in_the_way_is_found_before_anything_is_restored(
    target: Target, container: Container
) -> None:
    full = SampleDatabase("way").full()
    data, log = (file.logical_name for file in full.files)

    def refused(**options: object) -> TargetError:
        order = order_of(container, full, "way", options=RestoreOptions.model_validate(options))
        with pytest.raises(TargetError) as refusal:
            do(target, order)
        assert target.read_restore_history("way", 0) == []
        return refusal.value

    do(target, order_of(container, full, "owner", options=RestoreOptions()))
    unknown = refused(move_files={"Way": "C:\\Data\\x.mdf", "wya": "C:\\Data\\y.mdf"})
    assert unknown.number == 3234
    assert f"'{data}' (data), '{log}' (log)" in unknown.message
    taken = refused(move_files={data: "c:\\data\\OWNER.mdf"})
    assert taken.number == 1834
    assert "database 'owner'" in taken.message
    twice = refused(data_folder="C:\\Log", move_files={data: "C:\\Log\\way_log.ldf"})
    assert twice.number == 3176
    missing = refused(data_folder="C:\\Nowhere")
    assert missing.number == 5133
    target.drop("owner")


def test_the_server_takes_every_size_that_may_be_asked_for(
    target: Target, container: Container
) -> None:
    source = SampleDatabase("sizes")
    smallest = RestoreOptions(max_transfer_size=64 * 1024, buffer_count=1, block_size=512)
    largest = RestoreOptions(
        max_transfer_size=LARGEST_TRANSFER, buffer_count=512, block_size=64 * 1024
    )
    do(target, order_of(container, source.full(), "sizes", options=smallest))
    do(target, order_of(container, source.log(), "sizes", options=largest))
    assert [row.restore_type for row in target.read_restore_history("sizes", 0)][-2:] == ["D", "L"]
    target.drop("sizes")

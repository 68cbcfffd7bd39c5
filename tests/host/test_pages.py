"""Pages of a full hub are read along an index, from where they begin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.host.hub import Hub
from local.host.instance import Instance
from local.host.queries import HubQueries, InstanceFilter

COUNT = 30


def instance(number: int) -> Instance:
    at = f"2026-01-01T00:00:{number:02}.000000Z"
    status = "Running" if number % 10 == 0 else "Completed"
    name = "rare" if number % 10 == 0 else "common"
    values = dict.fromkeys(("version", "input", "output", "custom_status"), None)
    return Instance(
        f"{name}-{number:02}", "chain", "e", status=status, created=at, updated=at, **values
    )


@pytest.fixture
def queries(tmp_path: Path) -> Iterator[HubQueries]:
    hub = Hub(tmp_path)
    with hub.transaction():
        for number in range(COUNT):
            hub.put_instance(instance(number))
    queries = HubQueries(hub.path)
    yield queries
    queries.close()
    hub.close()


@pytest.mark.parametrize(
    "wanted",
    [
        InstanceFilter(),
        InstanceFilter(statuses=("Running",)),
        InstanceFilter(prefix="rare"),
        InstanceFilter(created_from="2026-01-01T00:00:15.000000Z"),
        InstanceFilter("rare", "2026-01-01T00:00:15.000000Z", "2026-01-02", ("Running", "Failed")),
    ],
)
def test_pages_follow_the_index_of_creation(queries: HubQueries, wanted: InstanceFilter) -> None:
    asked: list[str] = []
    queries._db.set_trace_callback(asked.append)
    queries.instances(wanted, 10, None)
    queries._db.set_trace_callback(None)
    plan = [row[3] for row in queries._db.execute(f"EXPLAIN QUERY PLAN {asked[0]}")]
    assert plan[0].startswith("SEARCH instance USING INDEX instance_created")
    assert not any("TEMP B-TREE" in step for step in plan)


def test_a_page_begins_at_the_time_asked_for(queries: HubQueries) -> None:
    wanted = InstanceFilter(created_from="2026-01-01T00:00:15.000000Z")
    first, token = queries.instances(wanted, 10, None)
    rest, end = queries.instances(wanted, 10, token)
    assert [one.id[-2:] for one in (*first, *rest)] == [f"{n:02}" for n in range(15, COUNT)]
    assert end == ""


def test_a_token_of_an_earlier_place_does_not_widen_the_filter(queries: HubQueries) -> None:
    token = queries.instances(InstanceFilter(), 2, None)[1]
    wanted = InstanceFilter(created_from="2026-01-01T00:00:15.000000Z")
    assert queries.instances(wanted, 1, token)[0][0].id == "common-15"

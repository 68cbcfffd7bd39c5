"""Lists of instances and entities: any filter, in pages of any size, against a plain loop."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.host.errors import Refused
from local.host.hub import Hub
from local.host.instance import FINISHED, LIVE, Instance
from local.host.queries import EntityFilter, HubQueries, InstanceFilter

_STATES = (*LIVE, *FINISHED)
_TIMES = st.sampled_from([f"2026-01-01T00:00:0{n}.000000Z" for n in range(6)])
_IDS = st.text(st.sampled_from("ab_%*'ü🎈"), min_size=1, max_size=4)
_INSTANCES = st.lists(
    st.builds(
        lambda name, at, status: Instance(
            name, "echo", "e", None, status, None, None, None, at, at
        ),
        _IDS,
        _TIMES,
        st.sampled_from(_STATES),
    ),
    unique_by=lambda one: one.id,
    max_size=12,
)
_FILTERS = st.builds(
    InstanceFilter,
    prefix=st.none() | _IDS,
    created_from=st.none() | _TIMES,
    created_to=st.none() | _TIMES,
    statuses=st.lists(st.sampled_from(_STATES), max_size=3),
)


def _pages(
    ask: Callable[[int | None, str | None], tuple[list[object], str]], top: int
) -> list[object]:
    found, token = ask(top, None)
    while token:
        assert len(found) % top == 0  # all pages but the last are full
        page, token = ask(top, token)
        assert page
        found += page
    assert ask(None, None) == (found, "")
    return found


@settings(max_examples=150, deadline=None)
@given(instances=_INSTANCES, wanted=_FILTERS, top=st.integers(1, 5))
def test_instances(instances: list[Instance], wanted: InstanceFilter, top: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder))
        queries = HubQueries(hub.path)
        with hub.transaction():
            for one in instances:
                hub.put_instance(one)
        found = _pages(lambda *page: queries.instances(wanted, *page), top)  # type: ignore[arg-type]  # a list of instances is one of objects here
        queries.close()
        hub.close()
    expected = [
        one
        for one in sorted(instances, key=lambda one: (one.created, one.id))
        if one.id.startswith(wanted.prefix or "")
        and (wanted.created_from or "") <= one.created <= (wanted.created_to or "9")
        and (not wanted.statuses or one.status in wanted.statuses)
    ]
    assert found == expected


@settings(max_examples=100, deadline=None)
@given(
    entities=st.dictionaries(st.tuples(st.sampled_from("abc"), _IDS | st.just("")), _TIMES),
    wanted=st.builds(
        EntityFilter,
        name=st.none() | st.sampled_from("abC"),
        updated_from=st.none() | _TIMES,
        updated_to=st.none() | _TIMES,
    ),
    top=st.integers(1, 5),
)
def test_entities(entities: dict[tuple[str, str], str], wanted: EntityFilter, top: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder))
        queries = HubQueries(hub.path)
        with hub.transaction():
            for (name, key), at in entities.items():
                hub.put_entity(name, key, "1", at)
        found = _pages(lambda *page: queries.entities(wanted, *page), top)  # type: ignore[arg-type]  # a list of rows is one of objects here
        queries.close()
        hub.close()
    expected = [
        (name, key, "1", at)
        for (name, key), at in sorted(entities.items())
        if wanted.name is None or name == wanted.name.lower()
        if (wanted.updated_from or "") <= at <= (wanted.updated_to or "9")
    ]
    assert found == expected


@pytest.mark.parametrize("token", ["x", "e30=", "W10=", "WzEsMl0=", "ü", "WyJhIiwgImIiLCAiYyJd"])
def test_tokens_of_others_are_refused(tmp_path: Path, token: str) -> None:
    hub = Hub(tmp_path)
    queries = HubQueries(hub.path)
    for ask in (
        lambda: queries.instances(InstanceFilter(), 1, token),
        lambda: queries.entities(EntityFilter(), 1, token),
    ):
        with pytest.raises(Refused, match="is not one that this host gave out"):
            ask()
    queries.close()
    hub.close()

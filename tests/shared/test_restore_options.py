from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.errors import RequestError
from shared.models import MigrationRequest
from shared.ordering import parse_body
from shared.records import MigrationOrder
from shared.restore_options import RestoreOptions

LONG = "/" + "x" * 259

GOOD: list[dict[str, Any]] = [
    {},
    {"dataFolder": "D:\\Data\\", "logFolder": "L:/", "moveFiles": {"a": "\\\\host\\share\\a.mdf"}},
    {"dataFolder": "/", "moveFiles": {"a]b'c\"d;--": "/数据库/it's [x].mdf", "b": "/" + "x" * 258}},
    {"maxTransferSize": 65536, "bufferCount": 32768},
    {"maxTransferSize": 4194304, "bufferCount": 512, "blockSize": 65536, "standby": True},
]

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"dataFolder": "data"}, "not a whole path"),
    ({"dataFolder": "D:"}, "not a whole path"),
    ({"logFolder": ""}, "not a whole path"),
    ({"dataFolder": "\\data"}, "not a whole path"),
    ({"dataFolder": "D:\\a", "logFolder": "/b"}, "path of Windows"),
    ({"dataFolder": "D:\\a", "moveFiles": {"a": "/b"}}, "path of Windows"),
    ({"dataFolder": LONG}, "at most 259 characters"),
    ({"dataFolder": "/a\nb"}, "control characters"),
    ({"dataFolder": "/a\0b"}, "control characters"),
    ({"moveFiles": {"": "/a"}}, "no logical name"),
    ({"moveFiles": {"x" * 129: "/a"}}, "no logical name"),
    ({"moveFiles": {"a\tb": "/a"}}, "no logical name"),
    ({"moveFiles": {"a": "/folder/"}}, "is a folder"),
    ({"moveFiles": {"a": "D:\\folder\\"}}, "is a folder"),
    ({"moveFiles": {"a": "a.mdf"}}, "not a whole path"),
    ({"moveFiles": {"a": "/x", "A": "/y"}}, "named twice"),
    ({"moveFiles": {"a": "/d/../x", "b": "/x"}}, "given to two files"),
    ({"moveFiles": {"a": "D:\\X", "b": "d:/x"}}, "given to two files"),
    ({"moveFiles": {f"f{n}": f"/{n}" for n in range(501)}}, "at most 500"),
    ({"maxTransferSize": 0}, "greater than or equal to 65536"),
    ({"maxTransferSize": 65537}, "multiple of 65536"),
    ({"maxTransferSize": 4259840}, "less than or equal to 4194304"),
    ({"bufferCount": 0}, "greater than or equal to 1"),
    ({"bufferCount": 513}, "at most 512 buffers"),
    ({"bufferCount": 32769, "maxTransferSize": 65536}, "more than 2 GiB"),
    ({"blockSize": 1000}, "512, 1024"),
    ({"undoFolder": "/x"}, "Extra inputs"),
]


@pytest.mark.parametrize("given", GOOD, ids=str)
def test_options_are_taken_and_shown_as_they_came(given: dict[str, Any]) -> None:
    options = RestoreOptions.model_validate(given)
    assert given.items() <= options.as_json().items()
    assert RestoreOptions.model_validate_json(options.model_dump_json()) == options


@pytest.mark.parametrize(("given", "told"), WRONG, ids=[told for _, told in WRONG])
def test_options_that_cannot_be_are_refused_by_name(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        RestoreOptions.model_validate(given)


def test_a_lone_surrogate_is_no_path() -> None:
    with pytest.raises(ValidationError):
        RestoreOptions(data_folder="/a\ud800")


def test_a_request_names_the_option_that_is_wrong() -> None:
    body = (
        b'{"name": "x", "properties": {"backupConfiguration": {"sourceLocation": {"azureBlob":'
        b' {"folder": "f"}}}, "restoreOptions": {"moveFiles": {"a": "rel.mdf"}}}}'
    )
    with pytest.raises(RequestError, match=r"properties\.restoreOptions\.moveFiles: .*'rel\.mdf'"):
        parse_body(MigrationRequest, body)


def test_an_order_of_an_older_version_has_no_options() -> None:
    order = MigrationOrder.model_validate_json(
        '{"id": "f", "operation_id": "11111111-1111-1111-1111-111111111111", "target": "t",'
        ' "target_database": "x", "folder": "f", "created_on": "2026-01-01T00:00:00Z"}'
    )
    assert order.restore_options == RestoreOptions()

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from shared.errors import ConfigurationError
from shared.targets.connection import (
    Session,
    SqlServerConnection,
    connection_string,
    token_structure,
)

LOGIN = {"server": "sql.example.com", "user": "app", "password": SecretStr("p")}


def test_connection_string_is_encrypted_and_goes_to_master() -> None:
    connection = SqlServerConnection(**LOGIN)
    assert connection_string(connection, "ODBC Driver 18 for SQL Server") == (
        "DRIVER={ODBC Driver 18 for SQL Server};SERVER=tcp:sql.example.com,1433;DATABASE=master;"
        "Encrypt=yes;TrustServerCertificate=no;ConnectRetryCount=0;APP=Backhaul;UID={app};PWD={p}"
    )


def test_free_text_cannot_add_options() -> None:
    connection = SqlServerConnection(
        server="s",
        user="a;SERVER=evil",
        password=SecretStr("b}};Encrypt=no;{"),
        encrypt="strict",
        trust_server_certificate=True,
    )
    text = connection_string(connection, "/x}/lib.so")
    assert text.startswith("DRIVER={/x}}/lib.so};SERVER=tcp:s,1433;")
    assert text.endswith("UID={a;SERVER=evil};PWD={b}}}};Encrypt=no;{}")


def test_a_control_character_in_the_login_is_refused_without_showing_it() -> None:
    connection = SqlServerConnection(server="s", user="u", password=SecretStr("HUSH\n"))
    with pytest.raises(ConfigurationError, match="'password'") as refusal:
        connection_string(connection, "x")
    assert "HUSH" not in str(refusal.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"server": "host;PWD=x"},
        {"server": "host\\INSTANCE"},
        {"server": "host,1433"},
        {"server": ""},
        {"port": 0},
        {"user": None},
        {"password": None},
        {"user": None, "password": None, "encrypt": "no"},
        {"encrypt": "maybe"},
        {"login_timeout_s": 0},
        {"timeout": 5},
    ],
    ids=str,
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SqlServerConnection(**{**LOGIN, **wrong})


def test_password_is_in_no_text_of_the_settings() -> None:
    connection = SqlServerConnection(server="s", user="u", password=SecretStr("HUSH"))
    for text in (repr(connection), str(connection), connection.model_dump_json()):
        assert "HUSH" not in text


def test_token_goes_with_its_length_in_bytes_before_it() -> None:
    assert token_structure("eyJ0") == b"\x08\0\0\0e\0y\0J\x000\0"


def test_without_user_and_without_token_the_login_is_asked_for() -> None:
    with pytest.raises(ConfigurationError, match="neither a user nor a source of tokens"):
        Session(SqlServerConnection(server="127.0.0.1"))


def test_a_driver_that_is_not_there_is_a_matter_of_configuration() -> None:
    connection = SqlServerConnection(
        server="127.0.0.1", user="u", password=SecretStr("p"), driver="/no/driver.so"
    )
    with pytest.raises(ConfigurationError, match=r"/no/driver\.so"):
        Session(connection)

"""Microsoft's ODBC driver through pyodbc, drained to the end as a client of a real server must."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyodbc

from shared.targets.driver import find_driver

pyodbc.pooling = False
_NUMBER = re.compile(r"\((-?\d+)\) \(SQL\w+\)$")
_MESSAGE = re.compile(r"\[SQL Server\](.*)", re.DOTALL)


class Client:
    """One connection; `options` are keywords of the connection string."""

    def __init__(
        self, port: int, password: str, *, autocommit: bool = True, **options: str
    ) -> None:
        given = {
            "DRIVER": find_driver(),
            "SERVER": f"127.0.0.1,{port}",
            "UID": "sa",
            "PWD": password,
            "Encrypt": "no",
        } | options
        text = ";".join(f"{key}={{{value.replace('}', '}}')}}}" for key, value in given.items())
        self.connection = pyodbc.connect(text, autocommit=autocommit, timeout=10)
        self.cursor = self.connection.cursor()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if it is open."""
        if not self.connection.closed:
            self.connection.close()

    def rows(self, text: str, *parameters: object) -> list[Any]:
        """Return the rows of a statement that has one result set."""
        self.cursor.execute(text, *parameters)
        rows = list(self.cursor.fetchall())
        assert not self.cursor.nextset()
        return rows

    def value(self, text: str, *parameters: object) -> Any:
        """Return the only value of a statement."""
        ((value,),) = self.rows(text, *parameters)
        return value

    def table(self, text: str, *parameters: object) -> list[dict[str, Any]]:
        """Return the rows of a statement by column."""
        cursor = self.cursor.execute(text, *parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def messages(self, text: str, *parameters: object) -> list[str]:
        """Run a statement to its end; return its messages."""
        self.cursor.execute(text, *parameters)
        return self.drain()

    def drain(self) -> list[str]:
        """Read to the end what a statement still answers; return the messages."""
        told: list[str] = []
        while True:
            for _, text in self.cursor.messages or ():
                match = _MESSAGE.search(text)
                told.append(match[1] if match else text)
            if not self.cursor.nextset():
                return told

    def error(self, text: str, *parameters: object) -> int:
        """Run a statement that must fail; return the number of the error."""
        try:
            self.messages(text, *parameters)
        except pyodbc.Error as error:
            return number_of(error)
        raise AssertionError(f"no error: {text}")


def number_of(error: pyodbc.Error) -> int:
    """Return the number at the end of a driver's message."""
    match = _NUMBER.search(str(error.args[1]))
    assert match, error
    return int(match[1])


@contextmanager
def refused() -> Iterator[list[pyodbc.Error]]:
    """Expect an error of any kind; it is put into the list."""
    errors: list[pyodbc.Error] = []
    try:
        yield errors
    except pyodbc.Error as error:
        errors.append(error)
        return
    raise AssertionError("no error")


@contextmanager
def cancelled(cursor: pyodbc.Cursor) -> Iterator[None]:
    """Cancel what runs inside; again and again, since nothing may run yet at the first time."""
    ended = threading.Event()

    def cancel() -> None:
        while not ended.wait(0.2):
            cursor.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        yield
    finally:
        ended.set()
        canceller.join()

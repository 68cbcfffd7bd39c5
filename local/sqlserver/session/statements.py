"""Statements that change the instance or the session, each carried out by one function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from local.sqlserver.catalog.context import Context
from local.sqlserver.engine.alteration import alter_database
from local.sqlserver.engine.checkdb import check_database
from local.sqlserver.errors import not_simulated, refuse
from local.sqlserver.results import Sink
from local.sqlserver.session.execution import Execution
from local.sqlserver.session.restores import run_restore
from local.sqlserver.session.security import SECURITY
from local.sqlserver.tsql import ast


def change_transaction(context: Context, action: str, sink: Sink) -> None:
    """Begin, commit or roll back; nothing but the state of the session depends on it."""
    session = context.session
    if action == "BEGIN":
        if session.transaction is not None:
            raise not_simulated("nested transactions")
        session.transaction = uuid4().bytes[:8]
        sink.transaction(session.transaction, action)
        return
    if session.transaction is None:
        raise refuse(3902 if action == "COMMIT" else 3903)
    ended, session.transaction = session.transaction, None
    sink.transaction(ended, action)


def _create_database(execution: Execution, statement: ast.CreateDatabase) -> None:
    execution.instance.create_database(statement.name, execution.session)


def _drop_database(execution: Execution, statement: ast.DropDatabase) -> None:
    for name in statement.names:
        execution.instance.drop_database(name, execution.session, if_exists=statement.if_exists)


def _require(execution: Execution, permission: str, number: int = 15247) -> None:
    execution.instance.require(execution.session, permission, refuse(number))


def _set_credential(execution: Execution, statement: ast.SetCredential) -> None:
    _require(execution, "ALTER ANY CREDENTIAL")
    execution.instance.credentials.set(
        statement.name, statement.identity, statement.secret or "", create=statement.create
    )


def _drop_credential(execution: Execution, statement: ast.DropCredential) -> None:
    _require(execution, "ALTER ANY CREDENTIAL")
    execution.instance.credentials.drop(statement.name)


def _use(execution: Execution, statement: ast.Use) -> None:
    before = execution.instance.enter(statement.database, execution.session)
    execution.sink.database(execution.session.database, before)


def _set_option(execution: Execution, statement: ast.SetOption) -> None:
    if statement.option == "IMPLICIT_TRANSACTIONS":
        execution.session.implicit_transactions = statement.value == "ON"


def _kill(execution: Execution, statement: ast.Kill) -> None:
    _require(execution, "ALTER ANY CONNECTION", 6102)
    if statement.only_status:
        raise refuse(6120, statement.session)
    execution.instance.sessions.kill(statement.session, execution.session)


def _transaction(execution: Execution, statement: ast.Transaction) -> None:
    change_transaction(execution.context, statement.action, execution.sink)


def _alter_database(execution: Execution, statement: ast.AlterDatabase) -> None:
    alter_database(
        execution.instance,
        statement.database,
        statement.option,
        statement.value,
        execution.session,
        rolls_back=statement.rolls_back,
    )


def _check_database(execution: Execution, statement: ast.CheckDatabase) -> None:
    check_database(
        execution.instance,
        statement.database or execution.session.database,
        statement.options,
        execution.session,
        execution.request,
        execution.sink,
    )


STATEMENTS: dict[type, tuple[str, Callable[[Execution, Any], None]]] = {
    ast.CreateDatabase: ("CREATE DATABASE", _create_database),
    ast.DropDatabase: ("DROP DATABASE", _drop_database),
    ast.SetCredential: ("CREATE CREDENTIAL", _set_credential),
    ast.DropCredential: ("DROP CREDENTIAL", _drop_credential),
    ast.Use: ("USE DATABASE", _use),
    ast.SetOption: ("SET OPTION", _set_option),
    ast.Kill: ("KILL", _kill),
    ast.AlterDatabase: ("ALTER DATABASE", _alter_database),
    ast.CheckDatabase: ("DBCC", _check_database),
    ast.Transaction: ("TRANSACTION", _transaction),
    ast.Restore: ("RESTORE", run_restore),
    **SECURITY,
}
"""For each kind of statement its sys.dm_exec_requests.command, and what carries it out."""

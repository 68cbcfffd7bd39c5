"""SQL Server's messages that the simulation can send: number, severity and wording. Pure.

Numbers, severities and wording follow Microsoft Learn, "Database Engine events and errors"; the
wording is what people search for.
"""

from local.sqlserver.messages.agent import AGENT
from local.sqlserver.messages.devices import DEVICES
from local.sqlserver.messages.injected import DEFAULT_VALUES, INJECTED
from local.sqlserver.messages.language import LANGUAGE
from local.sqlserver.messages.restore import RESTORE
from local.sqlserver.messages.server import SERVER

MESSAGES: dict[int, tuple[int, str]] = LANGUAGE | SERVER | RESTORE | DEVICES | AGENT | INJECTED

__all__ = ["DEFAULT_VALUES", "MESSAGES"]

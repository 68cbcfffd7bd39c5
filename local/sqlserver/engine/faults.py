"""Faults that are to strike: which, when, and how often. A plan is JSON; see `Fault`.

A fault that has struck is counted on disk before it strikes, so that a server that it kills does
not meet it again on its next start. Numbers of restores and logins count from the first start on a
folder; logins, while a fault waits for one.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from string import Formatter
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from local.sqlserver.engine.clock import Clock
from local.sqlserver.engine.model import Record
from local.sqlserver.engine.store import Store
from local.sqlserver.errors import Diagnostic
from local.sqlserver.messages import DEFAULT_VALUES, MESSAGES
from shared.errors import ConfigurationError

_REFUSAL = 18401
_MAX_FILE = 1_000_000


class FaultKind(str, Enum):
    """What happens."""

    ERROR = "error"
    DROP_CONNECTION = "drop-connection"
    DROP_CONNECTIONS = "drop-connections"
    KILL = "kill"
    RESTART = "restart"
    DIE = "die"
    SLOW = "slow"
    FULL_DISK = "full-disk"
    REFUSE_LOGINS = "refuse-logins"
    STOP_AGENT = "stop-agent"
    CORRUPT = "corrupt-database"
    LOSE_STANDBY = "lose-standby-file"


class Fault(BaseModel):
    """One fault of a plan.

    It strikes at a RESTORE of data or log - the `restore`-th, any one without a number, of any
    database or of `database` - as it begins or at `percent` of its reading; or at the `login`-th
    login; or `after_s` seconds from the start of the server. Seconds are those of its clock.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    do: FaultKind
    restore: int | None = Field(default=None, ge=1)
    database: str | None = None
    percent: float | None = Field(default=None, ge=0, lt=100)
    login: int | None = Field(default=None, ge=1)
    after_s: float | None = Field(default=None, ge=0)
    times: int = Field(default=1, ge=1, description="How often it strikes in all.")
    number: int | None = Field(default=None, description="Of the message of an error.")
    values: tuple[str, ...] | None = Field(
        default=None,
        description="What the message is about; {device}, {database}, {login} are filled in.",
    )
    state: int = Field(default=1, ge=0, le=255)
    seconds: float | None = Field(
        default=None, ge=0, description="How long it lasts; without it, until further notice."
    )
    speed: float | None = Field(default=None, gt=0, description="MB/s of what has become slow.")

    @property
    def at_restore(self) -> bool:
        """Whether it strikes at a RESTORE."""
        return self.login is None and self.after_s is None

    @model_validator(mode="after")
    def _check(self) -> Fault:
        if self.login is not None and self.do not in (FaultKind.ERROR, FaultKind.REFUSE_LOGINS):
            raise ValueError(f"{self.do.value} does not strike at a login")
        needs_restore = (FaultKind.ERROR, FaultKind.SLOW, FaultKind.DROP_CONNECTION, FaultKind.KILL)
        if self.after_s is not None and self.do in needs_restore:
            raise ValueError(f"{self.do.value} strikes at a restore, not after a time")
        if self.do is FaultKind.SLOW and self.speed is None:
            raise ValueError("slow needs a speed")
        if self.do is FaultKind.ERROR and self.number is None:
            raise ValueError("error needs a number")
        if self.number is not None:
            self.diagnostic()
        return self

    def diagnostic(self, **about: str) -> Diagnostic:
        """Return the message, about these things; raises ValueError if it cannot be made."""
        number = self.number or _REFUSAL
        if number not in MESSAGES:
            raise ValueError(f"the simulation has no message {number}")
        severity, template = MESSAGES[number]
        wanted = sum(1 for _, name, _, _ in Formatter().parse(template) if name is not None)
        values = DEFAULT_VALUES.get(number, ()) if self.values is None else self.values
        if len(values) < wanted:
            raise ValueError(f"message {number} needs {wanted} values: {template}")
        for name, value in about.items():
            values = tuple(text.replace(f"{{{name}}}", value) for text in values)
        try:
            text = template.format(*values)
        except ValueError as exc:
            raise ValueError(f"the values of message {number} do not fit: {template}") from exc
        return Diagnostic(number, severity, text, self.state)


class FaultRecord(Record):
    """A fault, and how often it has struck."""

    table: ClassVar[str] = "faults"
    key: ClassVar[str] = "name"

    name: str
    fault: Fault
    struck: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether it has struck as often as it was to."""
        return self.struck >= self.fault.times


class Strike(Protocol):
    """Carries out a fault that belongs to no RESTORE."""

    def __call__(self, fault: Fault) -> None:
        """Return when it has struck."""
        ...


def read_plan(path: Path) -> tuple[Fault, ...]:
    """Read `{"faults": [...]}` or a list from a file; raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE)
        plan = json.loads(text)
    except (OSError, ValueError) as exc:
        raise ConfigurationError(
            f"the fault plan {path} cannot be read: {exc}", action="give a file of JSON"
        ) from exc
    faults = plan.get("faults") if isinstance(plan, dict) else plan
    if not isinstance(faults, list):
        raise ConfigurationError(
            f"the fault plan {path} has no list of faults",
            action='write {"faults": [{"do": "restart", "restore": 2, "percent": 50}]}',
        )
    return tuple(parse_fault(json.dumps(fault)) for fault in faults)


def parse_fault(text: str) -> Fault:
    """Read one fault as JSON; raises ConfigurationError that says what is wrong with it."""
    try:
        return Fault.model_validate_json(text)
    except ValidationError as exc:
        problems = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'fault'}: {error['msg']}"
            for error in exc.errors()
        )
        raise ConfigurationError(
            f"a fault is not understood: {text[:200]}: {problems}",
            action=f"its `do` is one of {', '.join(kind.value for kind in FaultKind)}",
        ) from exc


class Faults:
    """The faults of an instance. Safe for threads."""

    def __init__(
        self, store: Store, lock: threading.RLock, clock: Clock, plan: Iterable[Fault]
    ) -> None:
        self._store, self._lock, self._clock = store, lock, clock
        self._strike: Strike | None = None
        self._timers: list[threading.Timer] = []
        self._refusing: tuple[Fault, float | None] | None = None
        known = {record.name: record for record in store.load(FaultRecord)}
        planned = {_name(n, fault): fault for n, fault in enumerate(plan)}
        self._records = {
            name: record
            for name, record in known.items()
            if not name.startswith("plan-") or name in planned
        }
        for name, fault in planned.items():
            if name not in self._records:
                self._save(FaultRecord(name=name, fault=fault))

    def begin(self, strike: Strike) -> None:
        """Let faults that wait for a time strike from now on."""
        self._strike = strike
        for record in self.all():
            self._arm(record)

    def stop(self) -> None:
        """Let nothing strike any more."""
        self._strike = None
        for timer in self._timers:
            timer.cancel()

    def all(self) -> list[FaultRecord]:
        """Return the faults in the order in which they came."""
        with self._lock:
            return list(self._records.values())

    def add(self, fault: Fault, name: str) -> None:
        """Add a fault while the server runs."""
        with self._lock:
            record = FaultRecord(name=name, fault=fault)
            self._save(record)
        self._arm(record)

    def clear(self) -> None:
        """Forget all faults, and let logins in."""
        with self._lock:
            self._store.change((), self._records.values())
            self._records.clear()
            self._refusing = None

    def of_restore(self, number: int, database: str) -> list[FaultRecord]:
        """Return the faults that may strike at the RESTORE that is the `number`-th."""
        return [
            record
            for record in self.all()
            if record.fault.at_restore
            and not record.is_spent
            and record.fault.restore in (None, number)
            and (record.fault.database or database).casefold() == database.casefold()
        ]

    def spend(self, record: FaultRecord) -> bool:
        """Count a strike, on disk, before it happens; False if it has struck often enough."""
        with self._lock:
            current = self._records.get(record.name)
            if current is None or current.is_spent:
                return False
            self._save(current.model_copy(update={"struck": current.struck + 1}))
            return True

    def refuse_logins(self, fault: Fault) -> None:
        """Refuse every login from now on, for as long as the fault says."""
        until = None if fault.seconds is None else self._clock.seconds() + fault.seconds
        self._refusing = (fault, until)

    def refusal(self, login: str, next_number: Callable[[], int]) -> Diagnostic | None:
        """Return why a login is refused, or None; counts logins while a fault waits for one."""
        waiting = [r for r in self.all() if r.fault.login is not None and not r.is_spent]
        number = next_number() if waiting else 0
        for record in waiting:
            if record.fault.login == number and self.spend(record):
                if record.fault.do is FaultKind.ERROR:
                    return record.fault.diagnostic(login=login)
                self.refuse_logins(record.fault)
        if self._refusing is None:
            return None
        fault, until = self._refusing
        if until is not None and self._clock.seconds() >= until:
            self._refusing = None
            return None
        return fault.diagnostic(login=login)

    def _arm(self, record: FaultRecord) -> None:
        if self._strike is None or record.fault.after_s is None or record.is_spent:
            return
        delay = self._clock.real_seconds(record.fault.after_s)
        timer = threading.Timer(delay, self._strike_late, [record])
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _strike_late(self, record: FaultRecord) -> None:
        if self._strike and self.spend(record):
            self._strike(record.fault)

    def _save(self, record: FaultRecord) -> None:
        self._store.save(record)
        self._records[record.name] = record


def _name(number: int, fault: Fault) -> str:
    digest = hashlib.sha256(fault.model_dump_json().encode()).hexdigest()[:16]
    return f"plan-{number}-{digest}"

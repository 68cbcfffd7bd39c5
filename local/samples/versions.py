"""What the samples say of the SQL Server that took them, by version."""

from __future__ import annotations

from typing import NamedTuple

SQL_SERVER_2005, SQL_SERVER_2008, SQL_SERVER_2019, SQL_SERVER_2022 = 9, 10, 15, 16
"""Major versions from which on, or up to which, the bytes differ."""


class Version(NamedTuple):
    """A release: its build, and what its databases look like."""

    major: int
    minor: int
    build: int
    database_version: int

    @property
    def compatibility_level(self) -> int:
        """The level of a database made on this version."""
        return self.major * 10

    @property
    def writes_data_twice(self) -> bool:
        """Whether a data backup has those pages again that changed while it was taken.

        Then the head copy of its header has LSNs that are not final.
        """
        return self.major >= SQL_SERVER_2019


VERSIONS = {
    "2005": Version(9, 0, 5000, 611),
    "2008": Version(10, 0, 6000, 655),
    "2008R2": Version(10, 50, 6000, 661),
    "2012": Version(11, 0, 7001, 706),
    "2014": Version(12, 0, 6024, 782),
    "2016": Version(13, 0, 6300, 852),
    "2017": Version(14, 0, 3456, 869),
    "2019": Version(15, 0, 4430, 904),
    "2022": Version(16, 0, 4175, 957),
    "2025": Version(17, 0, 1050, 998),
}
"""Internal database versions as in Microsoft Learn, "sys.databases", and public lists of builds."""

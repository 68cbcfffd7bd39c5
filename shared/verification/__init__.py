"""Verifies backup files without a server, piece by piece, and says what it could not check.

Pure: ranges of bytes in, a `Check` out. A check is small and serialisable; `advance` goes on with
it for as many bytes as it is given, so that a large backup can be split, resumed and watched.
"""

from shared.verification.check import Check, Finding, Tally
from shared.verification.running import advance, begin
from shared.verification.verdict import Verdict, verdict_of

__all__ = ["Check", "Finding", "Tally", "Verdict", "advance", "begin", "verdict_of"]

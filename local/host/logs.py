"""Logs of the host and the app's functions, on stderr: one line an event, in UTC."""

from __future__ import annotations

import logging
import time
import warnings

_QUIET = ("azure", "aiohttp", "asyncio", "httpcore", "httpx", "uvicorn")


def set_up_logs(level: int) -> None:
    """Log everything from `level` on, and of chatty libraries warnings only."""
    formatter = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # The SDK warns of each external event that comes before its wait, which is quite usual.
    warnings.filterwarnings("ignore", message="Potential duplicate Task completion")
    logging.captureWarnings(capture=True)

"""The clients of this worker process, made at their first use."""

from functools import lru_cache

from shared.settings import read_settings
from shared.workplace import Workplace


@lru_cache(maxsize=1)
def workplace() -> Workplace:
    """Return the clients made from the app's settings."""
    return Workplace(read_settings())

"""Azurite, the emulator of Azure Storage, as a child process that never outlives its parent."""

from local.azurite.server import Azurite

__all__ = ["Azurite"]

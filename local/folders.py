"""Where things that are made on this machine are kept; none of them is committed."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

STATE = REPOSITORY / ".backhaul"
"""What a run leaves behind: emulated storage, task hub, simulated servers. Safe to delete."""

TOOLS = STATE / "tools"
"""What `python -m local.setup` installed. Deleting it costs one more set-up."""

"""Shows the verdict on a backup file for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from backhaul import wording
from backhaul.layout import facts, indented, path, table
from backhaul.reading import Verdict as NotRead
from shared.verification import Verdict


def verdict_table(name: str, verdict: Verdict | NotRead) -> Group:
    """Return a file's verdict, what was checked, and its damage; its text must be harmless."""
    parts: list[RenderableType] = [path(name, "bold")]
    if isinstance(verdict, NotRead):
        why = Text.assemble((verdict.reason_code, "red"), ": ", verdict.reason)
        return Group(*parts, facts([("Verdict", why), ("Try", verdict.action)]), "")
    parts.append(facts(_rows(verdict)))
    if verdict.findings:
        parts.append(indented(_findings(verdict)))
    if verdict.findings_dropped:
        parts.append(f"  and {wording.count(verdict.findings_dropped, 'place')} more")
    return Group(*parts, "")


def _rows(verdict: Verdict) -> Iterator[tuple[str, RenderableType]]:
    style = "green" if verdict.result == "good" else "red"
    yield "Verdict", Text.assemble((verdict.result, style), f" ({verdict.level.value} level)")
    checked = verdict.checked
    said = [wording.size(verdict.size_bytes)]
    for count, noun in (
        (checked.blocks, "block"),
        (checked.records, "record"),
        (checked.pages, "page"),
    ):
        if count:
            said.append(wording.count(count, noun))
    yield "Checked", ", ".join(said)
    for note in verdict.notes:
        yield "Note", note


def _findings(verdict: Verdict) -> RenderableType:
    listed = table("Offset", "Block", "Page", "Damage")
    listed.columns[0].justify = "right"
    for place in verdict.findings:
        page = "" if place.page_number is None else f"{place.file_id}:{place.page_number}"
        listed.add_row(str(place.offset), place.block or "", page, place.message)
    return listed

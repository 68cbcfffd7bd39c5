"""Names of databases that every statement must carry unharmed."""

from __future__ import annotations

NASTY = {
    "plain": "Sales",
    "brackets-quotes-comment": "a]b'c\"d;--",
    "injection": "x]; DROP DATABASE [master]; --",
    "replace": "WITH REPLACE",
    "longest": "n" * 128,
    "longest-brackets": "]" * 128,
    "non-latin": "Продажи 数据库 مبيعات",
    "emoji": "🛢️ backups 🚀",
    "surrogates": "\N{LINEAR B SYLLABLE B008 A}" * 64,
    "odbc-escape": "{fn now()} {d '2024-01-01'} ? {call x}",
    "comment": "/* a */ -- b",
    "agent-token": "it's $(ESCAPE_SQUOTE(JOBID)) $(x)",
    "percent-backslash": "100% c:\\d\\",
}

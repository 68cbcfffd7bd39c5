-- plain
RESTORE LOG [Sales]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'Sales' AFTER N'2026-03-01T12:00:00.000'

-- brackets-quotes-comment
RESTORE LOG [a]]b'c"d;--]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'a]b''c"d;--' AFTER N'2026-03-01T12:00:00.000'

-- injection
RESTORE LOG [x]]; DROP DATABASE [master]]; --]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'x]; DROP DATABASE [master]; --' AFTER N'2026-03-01T12:00:00.000'

-- replace
RESTORE LOG [WITH REPLACE]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'WITH REPLACE' AFTER N'2026-03-01T12:00:00.000'

-- longest
RESTORE LOG [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' AFTER N'2026-03-01T12:00:00.000'

-- longest-brackets
RESTORE LOG []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' AFTER N'2026-03-01T12:00:00.000'

-- non-latin
RESTORE LOG [Продажи 数据库 مبيعات]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'Продажи 数据库 مبيعات' AFTER N'2026-03-01T12:00:00.000'

-- emoji
RESTORE LOG [🛢️ backups 🚀]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'🛢️ backups 🚀' AFTER N'2026-03-01T12:00:00.000'

-- surrogates
RESTORE LOG [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' AFTER N'2026-03-01T12:00:00.000'

-- odbc-escape
RESTORE LOG [{fn now()} {d '2024-01-01'} ? {call x}]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'{fn now()} {d ''2024-01-01''} ? {call x}' AFTER N'2026-03-01T12:00:00.000'

-- comment
RESTORE LOG [/* a */ -- b]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'/* a */ -- b' AFTER N'2026-03-01T12:00:00.000'

-- agent-token
RESTORE LOG [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' AFTER N'2026-03-01T12:00:00.000'

-- percent-backslash
RESTORE LOG [100% c:\d\]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPATMARK = N'100% c:\d\' AFTER N'2026-03-01T12:00:00.000'

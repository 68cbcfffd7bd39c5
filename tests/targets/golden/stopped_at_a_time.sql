-- plain
RESTORE LOG [Sales]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- brackets-quotes-comment
RESTORE LOG [a]]b'c"d;--]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- injection
RESTORE LOG [x]]; DROP DATABASE [master]]; --]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- replace
RESTORE LOG [WITH REPLACE]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- longest
RESTORE LOG [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- longest-brackets
RESTORE LOG []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- non-latin
RESTORE LOG [Продажи 数据库 مبيعات]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- emoji
RESTORE LOG [🛢️ backups 🚀]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- surrogates
RESTORE LOG [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- odbc-escape
RESTORE LOG [{fn now()} {d '2024-01-01'} ? {call x}]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- comment
RESTORE LOG [/* a */ -- b]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- agent-token
RESTORE LOG [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

-- percent-backslash
RESTORE LOG [100% c:\d\]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPAT = N'2026-03-01T14:29:59.997'

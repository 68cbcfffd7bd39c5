-- plain
RESTORE DATABASE [Sales]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- brackets-quotes-comment
RESTORE DATABASE [a]]b'c"d;--]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- injection
RESTORE DATABASE [x]]; DROP DATABASE [master]]; --]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- replace
RESTORE DATABASE [WITH REPLACE]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- longest
RESTORE DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- longest-brackets
RESTORE DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- non-latin
RESTORE DATABASE [Продажи 数据库 مبيعات]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- emoji
RESTORE DATABASE [🛢️ backups 🚀]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- surrogates
RESTORE DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- odbc-escape
RESTORE DATABASE [{fn now()} {d '2024-01-01'} ? {call x}]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- comment
RESTORE DATABASE [/* a */ -- b]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- agent-token
RESTORE DATABASE [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

-- percent-backslash
RESTORE DATABASE [100% c:\d\]
FROM URL = N'https://account.blob.core.windows.net/landing/it''s [one].bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5

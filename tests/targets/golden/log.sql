-- plain
RESTORE LOG [Sales]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- brackets-quotes-comment
RESTORE LOG [a]]b'c"d;--]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- injection
RESTORE LOG [x]]; DROP DATABASE [master]]; --]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- replace
RESTORE LOG [WITH REPLACE]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- longest
RESTORE LOG [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- longest-brackets
RESTORE LOG []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- non-latin
RESTORE LOG [Продажи 数据库 مبيعات]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- emoji
RESTORE LOG [🛢️ backups 🚀]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- surrogates
RESTORE LOG [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- odbc-escape
RESTORE LOG [{fn now()} {d '2024-01-01'} ? {call x}]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- comment
RESTORE LOG [/* a */ -- b]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- agent-token
RESTORE LOG [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

-- percent-backslash
RESTORE LOG [100% c:\d\]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     STATS = 5

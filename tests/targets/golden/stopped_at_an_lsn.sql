-- plain
RESTORE LOG [Sales]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- brackets-quotes-comment
RESTORE LOG [a]]b'c"d;--]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- injection
RESTORE LOG [x]]; DROP DATABASE [master]]; --]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- replace
RESTORE LOG [WITH REPLACE]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- longest
RESTORE LOG [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- longest-brackets
RESTORE LOG []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- non-latin
RESTORE LOG [Продажи 数据库 مبيعات]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- emoji
RESTORE LOG [🛢️ backups 🚀]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- surrogates
RESTORE LOG [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- odbc-escape
RESTORE LOG [{fn now()} {d '2024-01-01'} ? {call x}]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- comment
RESTORE LOG [/* a */ -- b]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- agent-token
RESTORE LOG [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- percent-backslash
RESTORE LOG [100% c:\d\]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     STOPBEFOREMARK = N'lsn:45000000019800001'

-- plain
RESTORE LOG [Sales]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'Sales' TO N'D:\Sales.ndf'

-- brackets-quotes-comment
RESTORE LOG [a]]b'c"d;--]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'a]b''c"d;--' TO N'D:\a]b''c"d;--.ndf'

-- injection
RESTORE LOG [x]]; DROP DATABASE [master]]; --]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'x]; DROP DATABASE [master]; --' TO N'D:\x]; DROP DATABASE [master]; --.ndf'

-- replace
RESTORE LOG [WITH REPLACE]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'WITH REPLACE' TO N'D:\WITH REPLACE.ndf'

-- longest
RESTORE LOG [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' TO N'D:\nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.ndf'

-- longest-brackets
RESTORE LOG []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' TO N'D:\]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]].ndf'

-- non-latin
RESTORE LOG [Продажи 数据库 مبيعات]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'Продажи 数据库 مبيعات' TO N'D:\Продажи 数据库 مبيعات.ndf'

-- emoji
RESTORE LOG [🛢️ backups 🚀]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'🛢️ backups 🚀' TO N'D:\🛢️ backups 🚀.ndf'

-- surrogates
RESTORE LOG [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' TO N'D:\𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀.ndf'

-- odbc-escape
RESTORE LOG [{fn now()} {d '2024-01-01'} ? {call x}]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'{fn now()} {d ''2024-01-01''} ? {call x}' TO N'D:\{fn now()} {d ''2024-01-01''} ? {call x}.ndf'

-- comment
RESTORE LOG [/* a */ -- b]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'/* a */ -- b' TO N'D:\/* a */ -- b.ndf'

-- agent-token
RESTORE LOG [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' TO N'D:\it''s $(ESCAPE_SQUOTE(JOBID)) $(x).ndf'

-- percent-backslash
RESTORE LOG [100% c:\d\]
FROM URL = N'https://account.blob.core.windows.net/landing/a.trn'
WITH NORECOVERY,
     MAXTRANSFERSIZE = 4194304,
     BUFFERCOUNT = 16,
     BLOCKSIZE = 65536,
     MOVE N'100% c:\d\' TO N'D:\100% c:\d\.ndf'

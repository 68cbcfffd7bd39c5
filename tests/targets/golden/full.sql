-- plain
RESTORE DATABASE [Sales]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'Sales' TO N'/var/opt/mssql/data/Sales.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- brackets-quotes-comment
RESTORE DATABASE [a]]b'c"d;--]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'a]b''c"d;--' TO N'/var/opt/mssql/data/a]b''c"d;--.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- injection
RESTORE DATABASE [x]]; DROP DATABASE [master]]; --]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'x]; DROP DATABASE [master]; --' TO N'/var/opt/mssql/data/x]; DROP DATABASE [master]; --.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- replace
RESTORE DATABASE [WITH REPLACE]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'WITH REPLACE' TO N'/var/opt/mssql/data/WITH REPLACE.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- longest
RESTORE DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' TO N'/var/opt/mssql/data/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- longest-brackets
RESTORE DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' TO N'/var/opt/mssql/data/]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]].mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- non-latin
RESTORE DATABASE [Продажи 数据库 مبيعات]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'Продажи 数据库 مبيعات' TO N'/var/opt/mssql/data/Продажи 数据库 مبيعات.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- emoji
RESTORE DATABASE [🛢️ backups 🚀]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'🛢️ backups 🚀' TO N'/var/opt/mssql/data/🛢️ backups 🚀.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- surrogates
RESTORE DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' TO N'/var/opt/mssql/data/𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- odbc-escape
RESTORE DATABASE [{fn now()} {d '2024-01-01'} ? {call x}]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'{fn now()} {d ''2024-01-01''} ? {call x}' TO N'/var/opt/mssql/data/{fn now()} {d ''2024-01-01''} ? {call x}.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- comment
RESTORE DATABASE [/* a */ -- b]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'/* a */ -- b' TO N'/var/opt/mssql/data//* a */ -- b.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- agent-token
RESTORE DATABASE [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' TO N'/var/opt/mssql/data/it''s $(ESCAPE_SQUOTE(JOBID)) $(x).mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- percent-backslash
RESTORE DATABASE [100% c:\d\]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'100% c:\d\' TO N'/var/opt/mssql/data/100% c:\d\.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

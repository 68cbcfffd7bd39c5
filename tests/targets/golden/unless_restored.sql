-- plain
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'Sales' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [Sales]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'Sales' TO N'/var/opt/mssql/data/Sales.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- brackets-quotes-comment
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'a]b''c"d;--' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [a]]b'c"d;--]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'a]b''c"d;--' TO N'/var/opt/mssql/data/a]b''c"d;--.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- injection
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'x]; DROP DATABASE [master]; --' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [x]]; DROP DATABASE [master]]; --]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'x]; DROP DATABASE [master]; --' TO N'/var/opt/mssql/data/x]; DROP DATABASE [master]; --.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- replace
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'WITH REPLACE' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [WITH REPLACE]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'WITH REPLACE' TO N'/var/opt/mssql/data/WITH REPLACE.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- longest
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' TO N'/var/opt/mssql/data/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- longest-brackets
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' TO N'/var/opt/mssql/data/]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]].mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- non-latin
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'Продажи 数据库 مبيعات' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [Продажи 数据库 مبيعات]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'Продажи 数据库 مبيعات' TO N'/var/opt/mssql/data/Продажи 数据库 مبيعات.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- emoji
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'🛢️ backups 🚀' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [🛢️ backups 🚀]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'🛢️ backups 🚀' TO N'/var/opt/mssql/data/🛢️ backups 🚀.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- surrogates
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' TO N'/var/opt/mssql/data/𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- odbc-escape
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'{fn now()} {d ''2024-01-01''} ? {call x}' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [{fn now()} {d '2024-01-01'} ? {call x}]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'{fn now()} {d ''2024-01-01''} ? {call x}' TO N'/var/opt/mssql/data/{fn now()} {d ''2024-01-01''} ? {call x}.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- comment
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'/* a */ -- b' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [/* a */ -- b]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'/* a */ -- b' TO N'/var/opt/mssql/data//* a */ -- b.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- agent-token
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' TO N'/var/opt/mssql/data/it''s $(ESCAPE_SQUOTE(JOBID)) $(x).mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

-- percent-backslash
IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = f.database_id WHERE d.name = N'100% c:\d\' AND f.redo_start_lsn IS NOT NULL)
RESTORE DATABASE [100% c:\d\]
FROM URL = N'https://account.blob.core.windows.net/landing/sales/1.bak',
     URL = N'https://account.blob.core.windows.net/landing/sales/2.bak'
WITH NORECOVERY,
     CHECKSUM,
     STATS = 5,
     MOVE N'100% c:\d\' TO N'/var/opt/mssql/data/100% c:\d\.mdf',
     MOVE N'x_log' TO N'L:\log\x_log.ldf'

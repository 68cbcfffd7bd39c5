-- plain
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'Sales' AND state_desc = N'RESTORING')
    RESTORE DATABASE [Sales] WITH STANDBY = N'L:\Log\Sales.undo'

-- brackets-quotes-comment
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'a]b''c"d;--' AND state_desc = N'RESTORING')
    RESTORE DATABASE [a]]b'c"d;--] WITH STANDBY = N'L:\Log\a]b''c"d;--.undo'

-- injection
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'x]; DROP DATABASE [master]; --' AND state_desc = N'RESTORING')
    RESTORE DATABASE [x]]; DROP DATABASE [master]]; --] WITH STANDBY = N'L:\Log\x]; DROP DATABASE [master]; --.undo'

-- replace
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'WITH REPLACE' AND state_desc = N'RESTORING')
    RESTORE DATABASE [WITH REPLACE] WITH STANDBY = N'L:\Log\WITH REPLACE.undo'

-- longest
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' AND state_desc = N'RESTORING')
    RESTORE DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn] WITH STANDBY = N'L:\Log\nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.undo'

-- longest-brackets
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' AND state_desc = N'RESTORING')
    RESTORE DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]] WITH STANDBY = N'L:\Log\]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]].undo'

-- non-latin
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'Продажи 数据库 مبيعات' AND state_desc = N'RESTORING')
    RESTORE DATABASE [Продажи 数据库 مبيعات] WITH STANDBY = N'L:\Log\Продажи 数据库 مبيعات.undo'

-- emoji
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'🛢️ backups 🚀' AND state_desc = N'RESTORING')
    RESTORE DATABASE [🛢️ backups 🚀] WITH STANDBY = N'L:\Log\🛢️ backups 🚀.undo'

-- surrogates
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' AND state_desc = N'RESTORING')
    RESTORE DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀] WITH STANDBY = N'L:\Log\𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀.undo'

-- odbc-escape
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'{fn now()} {d ''2024-01-01''} ? {call x}' AND state_desc = N'RESTORING')
    RESTORE DATABASE [{fn now()} {d '2024-01-01'} ? {call x}] WITH STANDBY = N'L:\Log\{fn now()} {d ''2024-01-01''} ? {call x}.undo'

-- comment
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'/* a */ -- b' AND state_desc = N'RESTORING')
    RESTORE DATABASE [/* a */ -- b] WITH STANDBY = N'L:\Log\/* a */ -- b.undo'

-- agent-token
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' AND state_desc = N'RESTORING')
    RESTORE DATABASE [it's $(ESCAPE_SQUOTE(JOBID)) $(x)] WITH STANDBY = N'L:\Log\it''s $(ESCAPE_SQUOTE(JOBID)) $(x).undo'

-- percent-backslash
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'100% c:\d\' AND state_desc = N'RESTORING')
    RESTORE DATABASE [100% c:\d\] WITH STANDBY = N'L:\Log\100% c:\d\.undo'

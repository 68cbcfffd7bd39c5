-- plain
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'Sales' AND is_in_standby = 1)
    RESTORE DATABASE [Sales] WITH NORECOVERY

-- brackets-quotes-comment
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'a]b''c"d;--' AND is_in_standby = 1)
    RESTORE DATABASE [a]]b'c"d;--] WITH NORECOVERY

-- injection
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'x]; DROP DATABASE [master]; --' AND is_in_standby = 1)
    RESTORE DATABASE [x]]; DROP DATABASE [master]]; --] WITH NORECOVERY

-- replace
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'WITH REPLACE' AND is_in_standby = 1)
    RESTORE DATABASE [WITH REPLACE] WITH NORECOVERY

-- longest
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' AND is_in_standby = 1)
    RESTORE DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn] WITH NORECOVERY

-- longest-brackets
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' AND is_in_standby = 1)
    RESTORE DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]] WITH NORECOVERY

-- non-latin
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'Продажи 数据库 مبيعات' AND is_in_standby = 1)
    RESTORE DATABASE [Продажи 数据库 مبيعات] WITH NORECOVERY

-- emoji
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'🛢️ backups 🚀' AND is_in_standby = 1)
    RESTORE DATABASE [🛢️ backups 🚀] WITH NORECOVERY

-- surrogates
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' AND is_in_standby = 1)
    RESTORE DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀] WITH NORECOVERY

-- odbc-escape
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'{fn now()} {d ''2024-01-01''} ? {call x}' AND is_in_standby = 1)
    RESTORE DATABASE [{fn now()} {d '2024-01-01'} ? {call x}] WITH NORECOVERY

-- comment
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'/* a */ -- b' AND is_in_standby = 1)
    RESTORE DATABASE [/* a */ -- b] WITH NORECOVERY

-- agent-token
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' AND is_in_standby = 1)
    RESTORE DATABASE [it's $(ESCAPE_SQUOTE(JOBID)) $(x)] WITH NORECOVERY

-- percent-backslash
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'100% c:\d\' AND is_in_standby = 1)
    RESTORE DATABASE [100% c:\d\] WITH NORECOVERY

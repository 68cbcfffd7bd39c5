-- plain
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'Sales' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [Sales]

-- brackets-quotes-comment
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'a]b''c"d;--' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [a]]b'c"d;--]

-- injection
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'x]; DROP DATABASE [master]; --' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [x]]; DROP DATABASE [master]]; --]

-- replace
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'WITH REPLACE' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [WITH REPLACE]

-- longest
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]

-- longest-brackets
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]

-- non-latin
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'Продажи 数据库 مبيعات' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [Продажи 数据库 مبيعات]

-- emoji
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'🛢️ backups 🚀' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [🛢️ backups 🚀]

-- surrogates
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]

-- odbc-escape
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'{fn now()} {d ''2024-01-01''} ? {call x}' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [{fn now()} {d '2024-01-01'} ? {call x}]

-- comment
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'/* a */ -- b' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [/* a */ -- b]

-- agent-token
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]

-- percent-backslash
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'100% c:\d\' AND (state_desc = N'RESTORING' OR is_in_standby = 1))
    DROP DATABASE [100% c:\d\]

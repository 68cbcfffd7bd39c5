-- plain
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'Sales' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'Sales' AND restore_history_id > 7)
    ALTER DATABASE [Sales] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'Sales' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'Sales' AND restore_history_id > 7)
    DROP DATABASE [Sales]

-- brackets-quotes-comment
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'a]b''c"d;--' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'a]b''c"d;--' AND restore_history_id > 7)
    ALTER DATABASE [a]]b'c"d;--] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'a]b''c"d;--' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'a]b''c"d;--' AND restore_history_id > 7)
    DROP DATABASE [a]]b'c"d;--]

-- injection
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'x]; DROP DATABASE [master]; --' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'x]; DROP DATABASE [master]; --' AND restore_history_id > 7)
    ALTER DATABASE [x]]; DROP DATABASE [master]]; --] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'x]; DROP DATABASE [master]; --' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'x]; DROP DATABASE [master]; --' AND restore_history_id > 7)
    DROP DATABASE [x]]; DROP DATABASE [master]]; --]

-- replace
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'WITH REPLACE' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'WITH REPLACE' AND restore_history_id > 7)
    ALTER DATABASE [WITH REPLACE] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'WITH REPLACE' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'WITH REPLACE' AND restore_history_id > 7)
    DROP DATABASE [WITH REPLACE]

-- longest
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' AND restore_history_id > 7)
    ALTER DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' AND restore_history_id > 7)
    DROP DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]

-- longest-brackets
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' AND restore_history_id > 7)
    ALTER DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]' AND restore_history_id > 7)
    DROP DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]

-- non-latin
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'Продажи 数据库 مبيعات' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'Продажи 数据库 مبيعات' AND restore_history_id > 7)
    ALTER DATABASE [Продажи 数据库 مبيعات] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'Продажи 数据库 مبيعات' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'Продажи 数据库 مبيعات' AND restore_history_id > 7)
    DROP DATABASE [Продажи 数据库 مبيعات]

-- emoji
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'🛢️ backups 🚀' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'🛢️ backups 🚀' AND restore_history_id > 7)
    ALTER DATABASE [🛢️ backups 🚀] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'🛢️ backups 🚀' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'🛢️ backups 🚀' AND restore_history_id > 7)
    DROP DATABASE [🛢️ backups 🚀]

-- surrogates
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' AND restore_history_id > 7)
    ALTER DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀' AND restore_history_id > 7)
    DROP DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]

-- odbc-escape
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'{fn now()} {d ''2024-01-01''} ? {call x}' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'{fn now()} {d ''2024-01-01''} ? {call x}' AND restore_history_id > 7)
    ALTER DATABASE [{fn now()} {d '2024-01-01'} ? {call x}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'{fn now()} {d ''2024-01-01''} ? {call x}' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'{fn now()} {d ''2024-01-01''} ? {call x}' AND restore_history_id > 7)
    DROP DATABASE [{fn now()} {d '2024-01-01'} ? {call x}]

-- comment
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'/* a */ -- b' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'/* a */ -- b' AND restore_history_id > 7)
    ALTER DATABASE [/* a */ -- b] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'/* a */ -- b' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'/* a */ -- b' AND restore_history_id > 7)
    DROP DATABASE [/* a */ -- b]

-- agent-token
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' AND restore_history_id > 7)
    ALTER DATABASE [it's $(ESCAPE_SQUOTE(JOBID)) $(x)] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'it''s $(ESCAPE_SQUOTE(JOBID)) $(x)' AND restore_history_id > 7)
    DROP DATABASE [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]

-- percent-backslash
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'100% c:\d\' AND state_desc IN (N'ONLINE') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'100% c:\d\' AND restore_history_id > 7)
    ALTER DATABASE [100% c:\d\] SET SINGLE_USER WITH ROLLBACK IMMEDIATE

IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'100% c:\d\' AND state_desc IN (N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT') AND is_in_standby = 0)
   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory WHERE destination_database_name = N'100% c:\d\' AND restore_history_id > 7)
    DROP DATABASE [100% c:\d\]

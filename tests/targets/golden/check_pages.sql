-- plain
DBCC CHECKDB ([Sales]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- brackets-quotes-comment
DBCC CHECKDB ([a]]b'c"d;--]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- injection
DBCC CHECKDB ([x]]; DROP DATABASE [master]]; --]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- replace
DBCC CHECKDB ([WITH REPLACE]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- longest
DBCC CHECKDB ([nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- longest-brackets
DBCC CHECKDB ([]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- non-latin
DBCC CHECKDB ([Продажи 数据库 مبيعات]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- emoji
DBCC CHECKDB ([🛢️ backups 🚀]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- surrogates
DBCC CHECKDB ([𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- odbc-escape
DBCC CHECKDB ([{fn now()} {d '2024-01-01'} ? {call x}]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- comment
DBCC CHECKDB ([/* a */ -- b]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- agent-token
DBCC CHECKDB ([it's $(ESCAPE_SQUOTE(JOBID)) $(x)]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

-- percent-backslash
DBCC CHECKDB ([100% c:\d\]) WITH NO_INFOMSGS, ALL_ERRORMSGS, PHYSICAL_ONLY
RAISERROR (N'checked', 0, 1)

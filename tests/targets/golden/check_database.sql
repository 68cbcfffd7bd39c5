-- plain
DBCC CHECKDB ([Sales]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- brackets-quotes-comment
DBCC CHECKDB ([a]]b'c"d;--]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- injection
DBCC CHECKDB ([x]]; DROP DATABASE [master]]; --]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- replace
DBCC CHECKDB ([WITH REPLACE]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- longest
DBCC CHECKDB ([nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- longest-brackets
DBCC CHECKDB ([]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- non-latin
DBCC CHECKDB ([Продажи 数据库 مبيعات]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- emoji
DBCC CHECKDB ([🛢️ backups 🚀]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- surrogates
DBCC CHECKDB ([𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- odbc-escape
DBCC CHECKDB ([{fn now()} {d '2024-01-01'} ? {call x}]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- comment
DBCC CHECKDB ([/* a */ -- b]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- agent-token
DBCC CHECKDB ([it's $(ESCAPE_SQUOTE(JOBID)) $(x)]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- percent-backslash
DBCC CHECKDB ([100% c:\d\]) WITH NO_INFOMSGS, ALL_ERRORMSGS

-- plain
RESTORE DATABASE [Sales] WITH RECOVERY

-- brackets-quotes-comment
RESTORE DATABASE [a]]b'c"d;--] WITH RECOVERY

-- injection
RESTORE DATABASE [x]]; DROP DATABASE [master]]; --] WITH RECOVERY

-- replace
RESTORE DATABASE [WITH REPLACE] WITH RECOVERY

-- longest
RESTORE DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn] WITH RECOVERY

-- longest-brackets
RESTORE DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]] WITH RECOVERY

-- non-latin
RESTORE DATABASE [Продажи 数据库 مبيعات] WITH RECOVERY

-- emoji
RESTORE DATABASE [🛢️ backups 🚀] WITH RECOVERY

-- surrogates
RESTORE DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀] WITH RECOVERY

-- odbc-escape
RESTORE DATABASE [{fn now()} {d '2024-01-01'} ? {call x}] WITH RECOVERY

-- comment
RESTORE DATABASE [/* a */ -- b] WITH RECOVERY

-- agent-token
RESTORE DATABASE [it's $(ESCAPE_SQUOTE(JOBID)) $(x)] WITH RECOVERY

-- percent-backslash
RESTORE DATABASE [100% c:\d\] WITH RECOVERY

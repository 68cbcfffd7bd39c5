-- plain
ALTER CREDENTIAL [Sales]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- brackets-quotes-comment
ALTER CREDENTIAL [a]]b'c"d;--]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- injection
ALTER CREDENTIAL [x]]; DROP DATABASE [master]]; --]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- replace
ALTER CREDENTIAL [WITH REPLACE]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- longest
ALTER CREDENTIAL [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- longest-brackets
ALTER CREDENTIAL []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- non-latin
ALTER CREDENTIAL [Продажи 数据库 مبيعات]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- emoji
ALTER CREDENTIAL [🛢️ backups 🚀]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- surrogates
ALTER CREDENTIAL [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- odbc-escape
ALTER CREDENTIAL [{fn now()} {d '2024-01-01'} ? {call x}]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- comment
ALTER CREDENTIAL [/* a */ -- b]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- agent-token
ALTER CREDENTIAL [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

-- percent-backslash
ALTER CREDENTIAL [100% c:\d\]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a''b'

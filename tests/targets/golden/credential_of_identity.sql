-- plain
CREATE CREDENTIAL [Sales]
WITH IDENTITY = N'Managed Identity'

-- brackets-quotes-comment
CREATE CREDENTIAL [a]]b'c"d;--]
WITH IDENTITY = N'Managed Identity'

-- injection
CREATE CREDENTIAL [x]]; DROP DATABASE [master]]; --]
WITH IDENTITY = N'Managed Identity'

-- replace
CREATE CREDENTIAL [WITH REPLACE]
WITH IDENTITY = N'Managed Identity'

-- longest
CREATE CREDENTIAL [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]
WITH IDENTITY = N'Managed Identity'

-- longest-brackets
CREATE CREDENTIAL []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
WITH IDENTITY = N'Managed Identity'

-- non-latin
CREATE CREDENTIAL [Продажи 数据库 مبيعات]
WITH IDENTITY = N'Managed Identity'

-- emoji
CREATE CREDENTIAL [🛢️ backups 🚀]
WITH IDENTITY = N'Managed Identity'

-- surrogates
CREATE CREDENTIAL [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]
WITH IDENTITY = N'Managed Identity'

-- odbc-escape
CREATE CREDENTIAL [{fn now()} {d '2024-01-01'} ? {call x}]
WITH IDENTITY = N'Managed Identity'

-- comment
CREATE CREDENTIAL [/* a */ -- b]
WITH IDENTITY = N'Managed Identity'

-- agent-token
CREATE CREDENTIAL [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]
WITH IDENTITY = N'Managed Identity'

-- percent-backslash
CREATE CREDENTIAL [100% c:\d\]
WITH IDENTITY = N'Managed Identity'

-- plain
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=Sales'

-- brackets-quotes-comment
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=a]b''c"d;--'

-- injection
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=x]; DROP DATABASE [master]; --'

-- replace
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=WITH REPLACE'

-- longest
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'

-- longest-brackets
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]'

-- non-latin
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=Продажи 数据库 مبيعات'

-- emoji
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=🛢️ backups 🚀'

-- surrogates
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀'

-- odbc-escape
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig={fn now()} {d ''2024-01-01''} ? {call x}'

-- comment
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=/* a */ -- b'

-- agent-token
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=it''s $(ESCAPE_SQUOTE(JOBID)) $(x)'

-- percent-backslash
CREATE CREDENTIAL [https://account.blob.core.windows.net/landing]
WITH IDENTITY = N'SHARED ACCESS SIGNATURE', SECRET = N'sv=2024&sig=100% c:\d\'

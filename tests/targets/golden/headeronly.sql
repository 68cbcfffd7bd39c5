-- plain
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/Sales'

-- brackets-quotes-comment
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/a]b''c"d;--'

-- injection
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/x]; DROP DATABASE [master]; --'

-- replace
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/WITH REPLACE'

-- longest
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'

-- longest-brackets
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]'

-- non-latin
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/Продажи 数据库 مبيعات'

-- emoji
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/🛢️ backups 🚀'

-- surrogates
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀'

-- odbc-escape
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/{fn now()} {d ''2024-01-01''} %3F {call x}'

-- comment
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing//* a */ -- b'

-- agent-token
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/it''s $(ESCAPE_SQUOTE(JOBID)) $(x)'

-- percent-backslash
RESTORE HEADERONLY
FROM URL = N'https://account.blob.core.windows.net/landing/100% c:\d\'

-- plain
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/Sales',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- brackets-quotes-comment
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/a]b''c"d;--',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- injection
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/x]; DROP DATABASE [master]; --',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- replace
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/WITH REPLACE',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- longest
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- longest-brackets
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- non-latin
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/Продажи 数据库 مبيعات',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- emoji
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/🛢️ backups 🚀',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- surrogates
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- odbc-escape
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/{fn now()} {d ''2024-01-01''} %3F {call x}',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- comment
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing//* a */ -- b',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- agent-token
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/it''s $(ESCAPE_SQUOTE(JOBID)) $(x)',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- percent-backslash
RESTORE FILELISTONLY
FROM URL = N'https://account.blob.core.windows.net/landing/100% c:\d\',
     URL = N'https://account.blob.core.windows.net/landing/b'

-- plain
DROP DATABASE [Sales]

-- brackets-quotes-comment
DROP DATABASE [a]]b'c"d;--]

-- injection
DROP DATABASE [x]]; DROP DATABASE [master]]; --]

-- replace
DROP DATABASE [WITH REPLACE]

-- longest
DROP DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]

-- longest-brackets
DROP DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]

-- non-latin
DROP DATABASE [Продажи 数据库 مبيعات]

-- emoji
DROP DATABASE [🛢️ backups 🚀]

-- surrogates
DROP DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]

-- odbc-escape
DROP DATABASE [{fn now()} {d '2024-01-01'} ? {call x}]

-- comment
DROP DATABASE [/* a */ -- b]

-- percent-backslash
DROP DATABASE [100% c:\d\]

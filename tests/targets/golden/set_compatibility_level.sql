-- plain
ALTER DATABASE [Sales] SET COMPATIBILITY_LEVEL = 160

-- brackets-quotes-comment
ALTER DATABASE [a]]b'c"d;--] SET COMPATIBILITY_LEVEL = 160

-- injection
ALTER DATABASE [x]]; DROP DATABASE [master]]; --] SET COMPATIBILITY_LEVEL = 160

-- replace
ALTER DATABASE [WITH REPLACE] SET COMPATIBILITY_LEVEL = 160

-- longest
ALTER DATABASE [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn] SET COMPATIBILITY_LEVEL = 160

-- longest-brackets
ALTER DATABASE []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]] SET COMPATIBILITY_LEVEL = 160

-- non-latin
ALTER DATABASE [Продажи 数据库 مبيعات] SET COMPATIBILITY_LEVEL = 160

-- emoji
ALTER DATABASE [🛢️ backups 🚀] SET COMPATIBILITY_LEVEL = 160

-- surrogates
ALTER DATABASE [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀] SET COMPATIBILITY_LEVEL = 160

-- odbc-escape
ALTER DATABASE [{fn now()} {d '2024-01-01'} ? {call x}] SET COMPATIBILITY_LEVEL = 160

-- comment
ALTER DATABASE [/* a */ -- b] SET COMPATIBILITY_LEVEL = 160

-- agent-token
ALTER DATABASE [it's $(ESCAPE_SQUOTE(JOBID)) $(x)] SET COMPATIBILITY_LEVEL = 160

-- percent-backslash
ALTER DATABASE [100% c:\d\] SET COMPATIBILITY_LEVEL = 160

-- plain
ALTER AUTHORIZATION ON DATABASE::[Sales] TO [Sales]

-- brackets-quotes-comment
ALTER AUTHORIZATION ON DATABASE::[a]]b'c"d;--] TO [a]]b'c"d;--]

-- injection
ALTER AUTHORIZATION ON DATABASE::[x]]; DROP DATABASE [master]]; --] TO [x]]; DROP DATABASE [master]]; --]

-- replace
ALTER AUTHORIZATION ON DATABASE::[WITH REPLACE] TO [WITH REPLACE]

-- longest
ALTER AUTHORIZATION ON DATABASE::[nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn] TO [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn]

-- longest-brackets
ALTER AUTHORIZATION ON DATABASE::[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]] TO []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]

-- non-latin
ALTER AUTHORIZATION ON DATABASE::[Продажи 数据库 مبيعات] TO [Продажи 数据库 مبيعات]

-- emoji
ALTER AUTHORIZATION ON DATABASE::[🛢️ backups 🚀] TO [🛢️ backups 🚀]

-- surrogates
ALTER AUTHORIZATION ON DATABASE::[𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀] TO [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀]

-- odbc-escape
ALTER AUTHORIZATION ON DATABASE::[{fn now()} {d '2024-01-01'} ? {call x}] TO [{fn now()} {d '2024-01-01'} ? {call x}]

-- comment
ALTER AUTHORIZATION ON DATABASE::[/* a */ -- b] TO [/* a */ -- b]

-- agent-token
ALTER AUTHORIZATION ON DATABASE::[it's $(ESCAPE_SQUOTE(JOBID)) $(x)] TO [it's $(ESCAPE_SQUOTE(JOBID)) $(x)]

-- percent-backslash
ALTER AUTHORIZATION ON DATABASE::[100% c:\d\] TO [100% c:\d\]

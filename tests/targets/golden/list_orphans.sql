-- plain
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [Sales].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- brackets-quotes-comment
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [a]]b'c"d;--].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- injection
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [x]]; DROP DATABASE [master]]; --].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- replace
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [WITH REPLACE].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- longest
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- longest-brackets
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- non-latin
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [Продажи 数据库 مبيعات].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- emoji
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [🛢️ backups 🚀].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- surrogates
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- odbc-escape
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [{fn now()} {d '2024-01-01'} ? {call x}].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- comment
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [/* a */ -- b].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- agent-token
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [it's $(ESCAPE_SQUOTE(JOBID)) $(x)].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

-- percent-backslash
SELECT TOP (100) p.name, p.sid, p.type_desc
FROM [100% c:\d\].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL
ORDER BY p.name

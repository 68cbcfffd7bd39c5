-- plain
SELECT COUNT(*) AS orphans
FROM [Sales].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- brackets-quotes-comment
SELECT COUNT(*) AS orphans
FROM [a]]b'c"d;--].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- injection
SELECT COUNT(*) AS orphans
FROM [x]]; DROP DATABASE [master]]; --].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- replace
SELECT COUNT(*) AS orphans
FROM [WITH REPLACE].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- longest
SELECT COUNT(*) AS orphans
FROM [nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- longest-brackets
SELECT COUNT(*) AS orphans
FROM []]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- non-latin
SELECT COUNT(*) AS orphans
FROM [Продажи 数据库 مبيعات].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- emoji
SELECT COUNT(*) AS orphans
FROM [🛢️ backups 🚀].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- surrogates
SELECT COUNT(*) AS orphans
FROM [𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀𐀀].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- odbc-escape
SELECT COUNT(*) AS orphans
FROM [{fn now()} {d '2024-01-01'} ? {call x}].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- comment
SELECT COUNT(*) AS orphans
FROM [/* a */ -- b].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- agent-token
SELECT COUNT(*) AS orphans
FROM [it's $(ESCAPE_SQUOTE(JOBID)) $(x)].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- percent-backslash
SELECT COUNT(*) AS orphans
FROM [100% c:\d\].sys.database_principals AS p
LEFT JOIN sys.server_principals AS s ON s.sid = p.sid
WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)
  AND p.principal_id > 4 AND s.sid IS NULL

-- conditions.RIGHTS
SELECT SUSER_SNAME() AS login_name,
       HAS_PERMS_BY_NAME(NULL, NULL, N'CREATE ANY DATABASE') AS may_create,
       HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY CREDENTIAL') AS may_alter_credentials,
       HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY CONNECTION') AS may_end_sessions,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS may_see_all

-- conditions.READS_HISTORY
SELECT TOP (1) h.restore_history_id
FROM msdb.dbo.restorehistory AS h
JOIN msdb.dbo.backupset AS s ON s.backup_set_id = h.backup_set_id

-- conditions.CERTIFICATES
SELECT name, thumbprint, pvt_key_encryption_type FROM master.sys.certificates

-- conditions.ASYMMETRIC_KEYS
SELECT name, thumbprint, pvt_key_encryption_type FROM master.sys.asymmetric_keys

-- conditions.FOLDER
SELECT file_is_a_directory FROM sys.dm_os_file_exists(?)

-- conditions.VOLUMES_BELOW
SELECT v.volume_mount_point AS mount_point, MIN(v.available_bytes) AS available_bytes
FROM sys.master_files AS f
CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v
WHERE LOWER(f.physical_name) LIKE ?
GROUP BY v.volume_mount_point

-- conditions.DRIVES
SELECT fixed_drive_path AS mount_point, free_space_in_bytes AS available_bytes
FROM sys.dm_os_enumerate_fixed_drives

-- jobs.AGENT
SELECT HAS_PERMS_BY_NAME(N'msdb.dbo.sp_add_job', N'OBJECT', N'EXECUTE') AS may_add,
       HAS_PERMS_BY_NAME(N'msdb.dbo.sysjobactivity', N'OBJECT', N'SELECT') AS may_see

-- jobs.SERVICE
SELECT servicename, status FROM sys.dm_server_services

-- jobs.JOBS
SELECT j.job_id, j.name, j.date_created, v.server_id, GETDATE() AS server_time
FROM msdb.dbo.sysjobs AS j
LEFT JOIN msdb.dbo.sysjobservers AS v ON v.job_id = j.job_id
WHERE j.name LIKE ?
ORDER BY j.date_created

-- jobs.STEPS
SELECT step_id, step_name FROM msdb.dbo.sysjobsteps WHERE job_id = ? ORDER BY step_id

-- jobs.SESSION
SELECT session_id, agent_start_date FROM msdb.dbo.syssessions ORDER BY session_id DESC

-- jobs.ACTIVITY
SELECT run_requested_date, start_execution_date, stop_execution_date
FROM msdb.dbo.sysjobactivity
WHERE job_id = ? AND session_id = ?

-- jobs.OUTCOMES
SELECT step_id, sql_message_id, run_status, message
FROM msdb.dbo.sysjobhistory
WHERE job_id = ?
ORDER BY instance_id

-- jobs.PROGRESS
SELECT r.percent_complete
FROM sys.dm_exec_sessions AS s
JOIN sys.dm_exec_requests AS r ON r.session_id = s.session_id
WHERE s.program_name LIKE ?

-- jobs.ADD_JOB
EXEC msdb.dbo.sp_add_job @job_name = ?, @description = ?

-- jobs.ADD_STEP
EXEC msdb.dbo.sp_add_jobstep @job_name = ?, @step_name = ?, @subsystem = N'TSQL',
     @database_name = N'master', @command = ?, @on_success_action = ?

-- jobs.ADD_SERVER
EXEC msdb.dbo.sp_add_jobserver @job_name = ?

-- jobs.START
EXEC msdb.dbo.sp_start_job @job_name = ?

-- jobs.STOP
EXEC msdb.dbo.sp_stop_job @job_id = ?

-- jobs.DELETE
EXEC msdb.dbo.sp_delete_job @job_id = ?

-- tsql.SERVER
SELECT CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) AS server_name,
       CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version,
       CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition,
       CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition,
       CAST(DATABASEPROPERTYEX('master', 'Version') AS int) AS database_version,
       CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(260)) AS default_data_path,
       CAST(SERVERPROPERTY('InstanceDefaultLogPath') AS nvarchar(260)) AS default_log_path,
       @@VERSION AS version_text

-- tsql.CONTAINER_SUPPORT
SELECT CAST(SERVERPROPERTY('FilestreamEffectiveLevel') AS int) AS filestream_level,
       CAST(SERVERPROPERTY('IsXTPSupported') AS int) AS memory_optimised

-- tsql.POSITION
SELECT d.state_desc, d.is_in_standby, f.file_id, f.is_read_only,
       f.redo_start_lsn, f.redo_start_fork_guid,
       f.differential_base_lsn, f.differential_base_guid
FROM sys.databases AS d
LEFT JOIN sys.master_files AS f ON f.database_id = d.database_id AND f.type IN (0, 2)
WHERE d.name = ?
ORDER BY f.file_id

-- tsql.OTHERS_FILES
SELECT d.name AS owner, f.physical_name
FROM sys.master_files AS f
JOIN sys.databases AS d ON d.database_id = f.database_id
WHERE d.name <> ?

-- tsql.FILE_IDS
SELECT f.file_id
FROM sys.master_files AS f
JOIN sys.databases AS d ON d.database_id = f.database_id
WHERE d.name = ?

-- tsql.HISTORY
SELECT h.restore_history_id, s.backup_set_uuid, s.family_guid, s.last_lsn,
       h.restore_type, h.restore_date, h.recovery, h.[replace],
       h.stop_at, h.stop_at_mark_name
FROM msdb.dbo.restorehistory AS h
JOIN msdb.dbo.backupset AS s ON s.backup_set_id = h.backup_set_id
WHERE h.destination_database_name = ? AND h.restore_history_id > ?
ORDER BY h.restore_history_id

-- tsql.CREDENTIAL
SELECT credential_identity, modify_date, GETDATE() AS server_time
FROM sys.credentials
WHERE name = ?

-- tsql.SESSION
SELECT @@SPID AS session_id

-- tsql.READERS
SELECT s.session_id
FROM sys.dm_exec_sessions AS s
JOIN sys.databases AS d ON d.database_id = s.database_id
WHERE d.name = ? AND d.is_in_standby = 1 AND s.is_user_process = 1 AND s.session_id <> @@SPID

-- tsql.PROGRESS
SELECT percent_complete FROM sys.dm_exec_requests WHERE session_id = ?

-- upkeep.FACTS
SELECT d.state_desc, d.is_in_standby, SUSER_SNAME(d.owner_sid) AS owner, SUSER_SNAME() AS login,
       d.compatibility_level, d.recovery_model_desc, d.page_verify_option_desc,
       d.is_trustworthy_on, d.is_broker_enabled, d.is_encrypted, d.is_cdc_enabled
FROM sys.databases AS d
WHERE d.name = ?

-- upkeep.SEES_LOGINS
SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY LOGIN') AS may_alter,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS may_view,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY SECURITY DEFINITION') AS may_view_security

-- upkeep.LOGIN
SELECT name FROM sys.server_principals
WHERE name = ? AND type IN ('S', 'U', 'E', 'C', 'K')

"""Messages about sessions, logins, databases, credentials and permissions."""

from __future__ import annotations

SERVER: dict[int, tuple[int, str]] = {
    # Sessions and logins
    596: (21, "Cannot continue the execution because the session is in the kill state."),
    3902: (16, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION."),
    3903: (16, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION."),
    4002: (16, "The incoming tabular data stream (TDS) protocol stream is incorrect: {}."),
    4060: (11, 'Cannot open database "{}" requested by the login. The login failed.'),
    5701: (10, "Changed database context to '{}'."),
    5703: (10, "Changed language setting to {}."),
    6101: (16, "Session ID {} is not valid."),
    6104: (16, "Cannot use KILL to kill your own process."),
    6106: (16, "Process ID {} is not an active process ID."),
    6107: (14, "Only user processes can be killed."),
    18456: (14, "Login failed for user '{}'."),
    15025: (16, "The server principal '{}' already exists."),
    15247: (16, "User does not have permission to perform this action."),
    15007: (16, "'{}' is not a valid login or you do not have permission."),
    15023: (16, "User, group, or role '{}' already exists in the current database."),
    15110: (
        16,
        "The proposed new database owner is already a user or aliased in the database.",
    ),
    15208: (
        16,
        "The certificate, asymmetric key, or private key file is not valid or does not exist; or "
        "you do not have permissions for it.",
    ),
    15232: (
        16,
        "A certificate with name '{}' already exists or this certificate already has been "
        "added to the database.",
    ),
    6120: (
        16,
        "Status report cannot be obtained. Rollback operation for Process ID {} is not in "
        "progress.",
    ),
    15433: (16, "Supplied parameter sid is in use."),
    262: (14, "{} permission denied in database '{}'."),
    297: (16, "The user does not have permission to perform this action."),
    300: (14, "{} permission was denied on object '{}', database '{}'."),
    6102: (14, "User does not have permission to use the KILL statement."),
    229: (
        14,
        "The {} permission was denied on the object '{}', database '{}', schema '{}'.",
    ),
    # Databases
    916: (
        14,
        'The server principal "{}" is not able to access the database "{}" under the current '
        "security context.",
    ),
    911: (16, "Database '{}' does not exist. Make sure that the name is entered correctly."),
    927: (14, "Database '{}' cannot be opened. It is in the middle of a restore."),
    1801: (16, "Database '{}' already exists. Choose a different database name."),
    1827: (
        16,
        "CREATE DATABASE or ALTER DATABASE failed because the resulting cumulative database size "
        "would exceed your licensed limit of {} MB per {}.",
    ),
    1834: (16, "The file '{}' cannot be overwritten. It is being used by database '{}'."),
    3701: (
        11,
        "Cannot drop the database '{}', because it does not exist or you do not have permission.",
    ),
    3702: (16, 'Cannot drop database "{}" because it is currently in use.'),
    3708: (16, "Cannot drop the database '{}' because it is a system database."),
    5105: (16, "A file activation error occurred. The physical file name '{}' may be incorrect."),
    5133: (
        16,
        'Directory lookup for the file "{}" failed with the operating system error 2'
        "(The system cannot find the file specified.).",
    ),
    2520: (
        16,
        "Could not find database '{}'. The database either does not exist, or was dropped before "
        "a statement tried to use it. Verify if the database exists by querying the sys.databases "
        "catalog view.",
    ),
    2528: (
        10,
        "DBCC execution completed. If DBCC printed error messages, contact your system "
        "administrator.",
    ),
    2571: (14, "User '{}' does not have permission to run DBCC {}."),
    5011: (
        14,
        "User does not have permission to alter database '{}', the database does not exist, or "
        "the database is not in a state that allows access checks.",
    ),
    5052: (16, "{} is not permitted while a database is in the {} state."),
    5063: (16, "Database '{}' is in warm standby. A warm-standby database is read-only."),
    5069: (16, "ALTER DATABASE statement failed."),
    5070: (
        16,
        "Database state cannot be changed while other users are using the database '{}'",
    ),
    8928: (
        16,
        "Object ID {}, index ID {}, partition ID {}, alloc unit ID {} (type {}): Page {} could "
        "not be processed.  See other errors for details.",
    ),
    8939: (
        16,
        "Table error: Object ID {}, index ID {}, partition ID {}, alloc unit ID {} (type {}), "
        "page {}. Test ({}) failed. Values are {} and {}.",
    ),
    8958: (
        10,
        "{} is the minimum repair level for the errors found by DBCC CHECKDB ({}).",
    ),
    8989: (
        10,
        "CHECKDB found {} allocation errors and {} consistency errors in database '{}'.",
    ),
    8990: (
        10,
        "CHECKDB found {} allocation errors and {} consistency errors in table '{}' (object ID "
        "{}).",
    ),
    15048: (16, "Valid values of the database compatibility level are {}."),
    # Certificates and credentials
    33111: (16, "Cannot find server {} with thumbprint '{}'."),
    37563: (
        16,
        "The primary managed identity is not selected for this server. Enable the primary managed "
        "identity for Microsoft Entra authentication for this server.",
    ),
    15151: (
        16,
        "Cannot {} the {} '{}', because it does not exist or you do not have permission.",
    ),
    15530: (16, 'The credential with name "{}" already exists.'),
}

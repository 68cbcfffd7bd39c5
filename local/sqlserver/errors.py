"""SQL Server's messages that the simulation can send, with their severity. Pure.

Numbers, severities and wording follow Microsoft Learn, "Database Engine events and errors"; the
wording is what people search for. 50000 is the range for messages that are not SQL Server's own:
everything the simulation does not know is refused loudly with it, never answered with success.
"""

from __future__ import annotations

from typing import NamedTuple


class Diagnostic(NamedTuple):
    """One ERROR or INFO record. Severity up to 10 is information."""

    number: int
    severity: int
    text: str


class SqlError(Exception):
    """A statement was refused: the diagnostics in the order in which the client gets them."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(f"{d.number}: {d.text}" for d in diagnostics))
        self.diagnostics = diagnostics

    @property
    def number(self) -> int:
        """The number of the first diagnostic, the cause."""
        return self.diagnostics[0].number

    def then(self, number: int, *values: object) -> SqlError:
        """Stack another message behind the cause, as SQL Server does with 3013."""
        return SqlError(*self.diagnostics, diagnostic(number, *values))


class Aborted(Exception):
    """The running request was stopped: by an attention, a KILL, a lost connection, a shutdown."""


def diagnostic(number: int, *values: object) -> Diagnostic:
    """Return a message of the table below with its placeholders filled in."""
    severity, template = MESSAGES[number]
    return Diagnostic(number, severity, template.format(*values))


def refuse(number: int, *values: object) -> SqlError:
    """Return the error to raise for one message of the table."""
    return SqlError(diagnostic(number, *values))


def not_simulated(what: str) -> SqlError:
    """Return the error for anything a real server may know but this simulation does not."""
    return SqlError(Diagnostic(50000, 16, f"not simulated: {what}"))


MESSAGES: dict[int, tuple[int, str]] = {
    # Language
    102: (15, "Incorrect syntax near '{}'."),
    105: (15, "Unclosed quotation mark after the character string '{}'."),
    113: (15, "Missing end comment mark '*/'."),
    134: (
        15,
        "The variable name '{}' has already been declared. Variable names must be unique within "
        "a query batch or stored procedure.",
    ),
    137: (15, 'Must declare the scalar variable "{}".'),
    206: (16, "Operand type clash: {} is incompatible with {}"),
    209: (16, "Ambiguous column name '{}'."),
    226: (16, "{} statement not allowed within multi-statement transaction."),
    245: (16, "Conversion failed when converting the {} value '{}' to data type {}."),
    4145: (
        15,
        "An expression of non-boolean type specified in a context where a condition is expected.",
    ),
    512: (
        16,
        "Subquery returned more than 1 value. This is not permitted when the subquery follows =, "
        "!=, <, <= , >, >= or when the subquery is used as an expression.",
    ),
    8115: (16, "Arithmetic overflow error converting expression to data type {}."),
    8120: (
        16,
        "Column '{}' is invalid in the select list because it is not contained in either an "
        "aggregate function or the GROUP BY clause.",
    ),
    8134: (16, "Divide by zero error encountered."),
    8178: (
        16,
        "The parameterized query '{}' expects the parameter '{}', which was not supplied.",
    ),
    8179: (16, "Could not find prepared statement with handle {}."),
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
    # Databases
    911: (16, "Database '{}' does not exist. Make sure that the name is entered correctly."),
    927: (14, "Database '{}' cannot be opened. It is in the middle of a restore."),
    1801: (16, "Database '{}' already exists. Choose a different database name."),
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
    # Credentials
    15151: (
        16,
        "Cannot {} the credential '{}', because it does not exist or you do not have permission.",
    ),
    15530: (16, 'The credential with name "{}" already exists.'),
    # A RESTORE and its database
    3011: (
        16,
        "All backup devices must be of the same general class (for example, DISK and TAPE).",
    ),
    3013: (16, "{} is terminating abnormally."),
    3014: (10, "{} successfully processed {} pages in {:.3f} seconds ({:.3f} MB/sec)."),
    3021: (16, "Cannot perform a backup or restore operation within a transaction."),
    3031: (
        16,
        "Option '{}' conflicts with option(s) '{}'. Remove the conflicting option and reissue "
        "the statement.",
    ),
    3101: (16, "Exclusive access could not be obtained because the database is in use."),
    3102: (
        16,
        "RESTORE cannot process database '{}' because it is in use by this session. It is "
        "recommended that the master database be used when performing this operation.",
    ),
    3117: (
        16,
        "The log or differential backup cannot be restored because no files are ready to "
        "rollforward.",
    ),
    3118: (
        16,
        'The database "{}" does not exist. RESTORE can only create a database when restoring '
        "either a full backup or a file backup of the primary file.",
    ),
    3119: (
        16,
        "Problems were identified while planning for the RESTORE statement. Previous messages "
        "provide details.",
    ),
    3120: (
        16,
        "This backup set will not be restored because all data has already been restored to a "
        "point beyond the time covered by this backup set.",
    ),
    3135: (
        16,
        "The backup set in file '{}' was created by {} and cannot be used for this restore "
        "operation.",
    ),
    3136: (
        16,
        "This differential backup cannot be restored because the database has not been restored "
        "to the correct earlier state.",
    ),
    3141: (
        16,
        "The database to be restored was named '{}'. Reissue the statement using the WITH "
        "REPLACE option to overwrite the '{}' database.",
    ),
    3147: (16, "Backup and restore operations are not allowed on database {}."),
    3153: (16, "The database is already fully recovered."),
    3154: (
        16,
        "The backup set holds a backup of a database other than the existing '{}' database.",
    ),
    3156: (
        16,
        "File '{}' cannot be restored to '{}'. Use WITH MOVE to identify a valid location for "
        "the file.",
    ),
    3159: (
        16,
        'The tail of the log for the database "{}" has not been backed up. Use BACKUP LOG WITH '
        "NORECOVERY to backup the log if it contains work you do not want to lose. Use the WITH "
        "REPLACE or WITH STOPAT clause of the RESTORE statement to just overwrite the contents "
        "of the log.",
    ),
    3169: (
        16,
        "The database was backed up on a server running version {}. That version is incompatible "
        "with this server, which is running version {}. Either restore the database on a server "
        "that supports the backup, or use a backup that is compatible with this server.",
    ),
    3176: (
        16,
        "File '{}' is claimed by '{}'({}) and '{}'({}). The WITH MOVE clause can be used to "
        "relocate one or more files.",
    ),
    3182: (
        16,
        "The backup set cannot be restored because the database was damaged when the backup "
        "occurred. Salvage attempts may exploit WITH CONTINUE_AFTER_ERROR.",
    ),
    3187: (
        16,
        "RESTORE WITH CHECKSUM cannot be specified because the backup set does not contain "
        "checksum information.",
    ),
    3234: (
        16,
        "Logical file '{}' is not part of database '{}'. Use RESTORE FILELISTONLY to list the "
        "logical file names.",
    ),
    4305: (
        16,
        "The log in this backup set begins at LSN {}, which is too recent to apply to the "
        "database. An earlier log backup that includes LSN {} can be restored.",
    ),
    4319: (
        16,
        "A previous restore operation was interrupted and did not complete processing on file "
        "'{}'. Either restore the backup set that was interrupted or restart the restore "
        "sequence.",
    ),
    4326: (
        16,
        "The log in this backup set terminates at LSN {}, which is too early to apply to the "
        "database. A more recent log backup that includes LSN {} can be restored.",
    ),
    4330: (
        16,
        "This backup set cannot be applied because it is on a recovery path that is inconsistent "
        "with the database. The recovery path is the sequence of data and log backups that have "
        "brought the database to a particular recovery point. Find a compatible backup to "
        "restore, or restore the rest of the database to match a recovery point within this "
        "backup set, which will restore the database to a different point in time.",
    ),
    4333: (16, "The database cannot be recovered because the log was not restored."),
    4353: (
        16,
        "Conflicting file relocations have been specified for file '{}'. Only a single WITH MOVE "
        "clause should be specified for any logical file name.",
    ),
    # Devices and media of a RESTORE
    3132: (
        16,
        "The media set has {} media families but only {} are provided. All members must be "
        "provided.",
    ),
    3201: (16, "Cannot open backup device '{}'. Operating system error {}."),
    3203: (16, 'Read on "{}" failed: {}'),
    3204: (16, "The backup or restore was aborted."),
    3205: (
        16,
        "Too many backup devices specified for backup or restore; only 64 are allowed.",
    ),
    3206: (
        16,
        "Backup device '{}' does not exist. To view existing backup devices, use the "
        "sys.backup_devices catalog view. To create a new backup device use either "
        "sp_addumpdevice or SQL Server Management Studio.",
    ),
    3225: (
        16,
        "Use of WITH CREDENTIAL syntax is not valid for credentials containing a Shared Access "
        "Signature.",
    ),
    3227: (
        16,
        'The backup media on "{}" is part of media family {} which has already been processed on '
        '"{}". Ensure that backup devices are correctly specified. For tape devices, ensure that '
        "the correct volumes are loaded.",
    ),
    3231: (
        16,
        'The media loaded on "{}" is formatted to support {} media families, but {} media '
        "families are expected according to the backup device specification.",
    ),
    3241: (
        16,
        "The media family on device '{}' is incorrectly formed. SQL Server cannot process this "
        "media family.",
    ),
    3242: (16, "The file on device '{}' is not a valid Microsoft Tape Format backup set."),
    3254: (16, "The volume on device '{}' is empty."),
    3256: (
        16,
        "The backup set on device '{}' was terminated while it was being created and is "
        "incomplete. RESTORE sequence is terminated abnormally.",
    ),
    3258: (
        16,
        'The volume on device "{}" is not part of the media set that is currently being '
        "processed. Ensure that the backup devices are loaded with the correct media.",
    ),
    3271: (16, 'A nonrecoverable I/O error occurred on file "{}": {}'),
    3287: (16, "The file ID {} on device '{}' is incorrectly formed and can not be read."),
    3297: (
        16,
        "The URL provided does not meet specified requirements. The URL must be either "
        "resolvable, and without a query string or fragment: '{}'.",
    ),
    3211: (10, "{} percent processed."),
    3262: (10, "The backup set on file {} is valid."),
    4035: (10, "Processed {} pages for database '{}', file '{}' on file {}."),
    951: (
        10,
        "Database '{}' running the upgrade step from version {} to version {}.",
    ),
}

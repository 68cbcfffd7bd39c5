"""Messages about a RESTORE and its database."""

from __future__ import annotations

RESTORE: dict[int, tuple[int, str]] = {
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
    3110: (14, "User does not have permission to RESTORE database '{}'."),
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
    3145: (
        16,
        "The STOPAT option is not supported for databases that use the SIMPLE recovery model.",
    ),
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
    3180: (
        16,
        "This backup cannot be restored using WITH STANDBY because a database upgrade is needed. "
        "Reissue the RESTORE without WITH STANDBY.",
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
    3250: (16, "The value '{}' is not within range for the {} parameter."),
    3253: (16, "The block size parameter must supply a value that is a power of 2."),
    3257: (
        16,
        "There is insufficient free space on disk volume '{}' to create the database. The "
        "database requires {} additional free bytes, while only {} bytes are available.",
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
    3441: (
        21,
        "During startup of warm standby database '{}' (database ID {}), its standby file ('{}') "
        "was inaccessible to the RESTORE statement. The operating system error was '{}'. Diagnose "
        "the operating system error, correct the problem, and retry startup.",
    ),
    4322: (
        10,
        "This backup set contains records that were logged before the designated point in time. "
        "The database is being left in the restoring state so that more roll forward can be "
        "performed.",
    ),
    4329: (
        10,
        "This log file contains records logged before the designated mark. The database is being "
        "left in the Restoring state so you can apply another log file.",
    ),
    4334: (16, "The named mark does not identify a valid LSN."),
    4335: (
        16,
        "The specified STOPAT time is too early. All or part of the database is already rolled "
        "forward beyond that point.",
    ),
    4338: (
        16,
        "The STOPAT clause specifies a point too early to allow this backup set to be restored. "
        "Choose a different stop point or use RESTORE DATABASE WITH RECOVERY to recover at the "
        "current point.",
    ),
    4340: (
        16,
        "The point-in-time clause of this RESTORE statement is restricted for use by RESTORE LOG "
        "statements only. Omit the clause or use a clause that includes a timestamp.",
    ),
    4341: (
        16,
        "This log backup contains bulk-logged changes. It cannot be used to stop at an arbitrary "
        "point in time.",
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
}

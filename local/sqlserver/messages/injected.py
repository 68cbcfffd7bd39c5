"""Messages that the simulation sends only when a fault is to strike."""

from __future__ import annotations

INJECTED: dict[int, tuple[int, str]] = {
    # A RESTORE and its media
    3023: (
        16,
        "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and encryption "
        "changes on a database must be serialized. Reissue the statement after the current backup "
        "or file manipulation operation is completed.",
    ),
    3183: (
        16,
        'RESTORE detected an error on page ({}:{}) in database "{}" as read from the backup set.',
    ),
    3186: (
        16,
        "The backup set has been damaged. RESTORE will not attempt to apply this backup set.",
    ),
    3189: (16, "Damage to the backup set was detected."),
    3199: (
        16,
        "RESTORE requires MAXTRANSFERSIZE={} but {} was specified.",
    ),
    3202: (16, 'Write on "{}" failed: {}'),
    3208: (
        16,
        "Unexpected end of file while reading beginning of backup set. Confirm that the media "
        "contains a valid SQL Server backup set, and see the console error log for more details.",
    ),
    3229: (16, "Request for device '{}' timed out."),
    3230: (16, "Operation on device '{}' exceeded retry count."),
    3266: (
        16,
        'The backup data at the end of "{}" is incorrectly formatted. Backup sets on the media '
        "might be damaged and unusable.",
    ),
    3270: (
        16,
        "An internal consistency error has occurred. This error is similar to an assert. Contact "
        "technical support for assistance.",
    ),
    3292: (
        16,
        "A failure occurred while attempting to execute Backup or Restore with a URL device "
        "specified. Consult the Windows Event Log for details.",
    ),
    3298: (16, "Backup/Restore to URL device error: {}."),
    3302: (
        21,
        "Redoing of logged operations in database '{}' failed to reach end of log at log record "
        "ID {}. This indicates corruption around log record ID {}. Restore the database from a "
        "full backup, or repair the database.",
    ),
    3313: (
        21,
        "During redoing of a logged operation in database '{}' (page {}), an error occurred at "
        "log record ID {}. Typically, the specific failure is previously logged as an error in "
        "the operating system error log. Restore the database from a full backup, or repair the "
        "database.",
    ),
    3633: (
        16,
        "The operating system returned the error '{}' while attempting '{}' on '{}' at '{}'({}).",
    ),
    3634: (16, "The operating system returned the error '{}' while attempting '{}' on '{}'."),
    # Locks and the server's own state
    823: (
        24,
        "The operating system returned error {} to SQL Server during a {} at offset {} in file "
        "'{}'. Additional messages in the SQL Server error log and operating system error log may "
        "provide more detail. This is a severe system-level error condition that threatens "
        "database integrity and must be corrected immediately.",
    ),
    1105: (
        17,
        "Could not allocate space for object '{}' in database '{}' because the '{}' filegroup is "
        "full.",
    ),
    1205: (
        13,
        "Transaction (Process ID {}) was deadlocked on {} resources with another process and has "
        "been chosen as the deadlock victim. Rerun the transaction.",
    ),
    5120: (
        16,
        'Unable to open the physical file "{}". Operating system error {}.',
    ),
    5123: (
        16,
        "CREATE FILE encountered operating system error {} while attempting to open or create the "
        "physical file '{}'.",
    ),
    6005: (10, "SHUTDOWN is in progress."),
    15581: (
        16,
        "Please create a master key in the database or open the master key in the session before "
        "performing this operation.",
    ),
    # Logins and Azure
    4064: (11, "Cannot open user default database. Login failed."),
    18401: (
        14,
        "Login failed for user '{}'. Reason: Server is in script upgrade mode. Only administrator "
        "can connect at this time.",
    ),
    40197: (
        17,
        "The service has encountered an error processing your request. Please try again. Error "
        "code {}.",
    ),
    40501: (
        20,
        "The service is currently busy. Retry the request after 10 seconds. Code: {}.",
    ),
    40613: (
        17,
        "Database '{}' on server '{}' is not currently available. Please retry the connection "
        "later. If the problem persists, contact customer support, and provide them the session "
        "tracing ID of '{}'.",
    ),
    49918: (
        16,
        "Cannot process request. Not enough resources to process request. Please retry you "
        "request later.",
    ),
}

DEFAULT_VALUES: dict[int, tuple[str, ...]] = {
    823: ("112(There is not enough space on the disk.)", "write", "0x0000000000", "{device}"),
    1105: ("dbo.x", "{database}", "PRIMARY"),
    1205: ("{session}", "lock"),
    3013: ("RESTORE",),
    3154: ("{database}",),
    3159: ("{database}",),
    3183: ("1", "57", "{database}"),
    3201: ("{device}", "5(Access is denied.)"),
    3202: ("{device}", "112(There is not enough space on the disk.)"),
    3203: ("{device}", "121(The semaphore timeout period has expired.)"),
    3229: ("{device}",),
    3230: ("{device}",),
    3241: ("{device}",),
    3242: ("{device}",),
    3254: ("{device}",),
    3256: ("{device}",),
    3266: ("{device}",),
    3271: (
        "{device}:",
        "Backup to URL received an exception from the remote endpoint. Exception Message: The "
        "remote server returned an error: (503) Server Unavailable.",
    ),
    3298: ("Error while processing the request. HTTP status code: 503",),
    3302: ("{database}", "(36:2664:1)", "(36:2664:1)"),
    3313: ("{database}", "(1:57)", "(36:2664:1)"),
    3633: ("21(The device is not ready.)", "ReadFile", "{device}", "fcb.cpp", "1"),
    3634: ("21(The device is not ready.)", "ReadFile", "{device}"),
    4060: ("master",),
    4319: ("{database}",),
    5120: ("{device}", '5: "5(Access is denied.)"'),
    5123: ("5(Access is denied.)", "{device}"),
    15581: (),
    18401: ("{login}",),
    18456: ("{login}",),
    33111: ("certificate", "0xE5A1C4B0C0FFEE00112233445566778899AABBCC"),
    40197: ("4815",),
    40501: ("4815",),
    40613: ("master", "simulated", "00000000-0000-0000-0000-000000000000"),
}
"""What an injected message is about, where the fault itself does not say."""

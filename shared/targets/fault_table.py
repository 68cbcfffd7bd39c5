"""SQL Server's error numbers as data: what each means for a restore, and what to do about it.

Only rows, no code; `faults` looks them up. Numbers and severities: Microsoft Learn, "Database
engine events and errors" for SQL Server 2022. Which ones pass by themselves: the same pages, and
practice. Errors of severity 10 are messages and never raised.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(str, Enum):
    """What an error asks for.

    TRANSIENT: the same statement may work later. FINAL: a human, or another backup, must help.
    SIGNAL: the database is not where the caller believed; read its position and plan anew.
    INFORMATIONAL: no failure. DEPENDS: on the operating-system or HTTP status in the text.
    """

    TRANSIENT = "transient"
    FINAL = "final"
    SIGNAL = "signal"
    INFORMATIONAL = "informational"
    DEPENDS = "depends"


class Fault(NamedTuple):
    """Error numbers that mean the same to us.

    `unread` is what a DEPENDS fault counts as when its text holds no status.
    """

    numbers: tuple[int, ...]
    kind: Kind
    meaning: str
    action: str
    unread: Kind = Kind.FINAL


_T = Kind.TRANSIENT
_F = Kind.FINAL
_S = Kind.SIGNAL
_I = Kind.INFORMATIONAL
_D = Kind.DEPENDS

_WAIT = "It is tried again; if it stays, look at the server."
_REPLAN = "Read the position of the database and plan again from there."
_COPY_AGAIN = "Upload the backup again from the source, or take a new one."
_NEVER_REPLACE = "Choose another name for the target, or remove that database yourself."
_NEW_OPTIONS = "Cancel, and create the migration again with other restoreOptions."
_OUR_DEFECT = "Report this with the log: the statement should not have been sent."

OS_TRANSIENT = frozenset(
    {21, 32, 33, 53, 64, 121, 1117, 1231, 1326, 1450, 12002, 12007, 12029, 12030}
)
"""Operating-system errors that pass: sharing, network, a device that is not ready, no memory."""

HTTP_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""Answers of the blob service that pass."""

OS_ACTIONS = {
    2: "Check that the blob is still there, under exactly this name.",
    3: "Check that the container or folder is still there.",
    5: "Check that the server's credential may read the container, and that the storage "
    "account's firewall lets the server in: both look the same.",
    38: _COPY_AGAIN,
    50: "Upload the backup as a block blob.",
    86: "Renew the secret of the server's credential for this container.",
}
"""What to do for an operating-system error, whatever SQL Server's number is."""

FAULTS = (
    # The frame of every RESTORE.
    Fault((3013,), _D, "the RESTORE ended; its cause stands before it", "Look at the cause."),
    Fault((951, 3014, 4035, 3211, 3262), _I, "progress or success", ""),
    Fault((3204,), _S, "the statement was aborted", _REPLAN),
    Fault((596,), _S, "the session was killed on the server", _REPLAN),
    # The statement and the rights to issue it.
    Fault((3021,), _F, "RESTORE inside a transaction", _OUR_DEFECT),
    Fault((3102,), _F, "our own session uses the database", _OUR_DEFECT),
    Fault((3135,), _F, "the backup's type does not fit the statement", _OUR_DEFECT),
    Fault((3176, 4353), _F, "two database files claim one path or name", _NEW_OPTIONS),
    Fault((3250, 3253), _F, "a size of the transfer is not possible", _NEW_OPTIONS),
    Fault((3234,), _F, "MOVE names a file that the backup does not have", _NEW_OPTIONS),
    Fault((3187,), _F, "the backup holds no checksums", "Restore it without CHECKSUM."),
    Fault((3205,), _F, "more than 64 files in one backup set", "Take it with fewer files."),
    Fault((3011, 3031), _F, "devices or options do not go together", _OUR_DEFECT),
    Fault((3206,), _F, "a logical backup device does not exist", _OUR_DEFECT),
    Fault(
        (262, 3110),
        _F,
        "the login may not restore",
        "Give the login CREATE ANY DATABASE, or make it a member of dbcreator.",
    ),
    Fault(
        (15151, 15247),
        _F,
        "the login may not do this",
        "Give the login ALTER ANY CREDENTIAL and VIEW SERVER STATE.",
    ),
    Fault((300,), _F, "the login may not see the server's state", "Give it VIEW SERVER STATE."),
    # Locks that pass.
    Fault((3023,), _T, "another backup or file operation runs on the database", _WAIT),
    Fault((3101, 3702), _T, "others use the database", "Close the sessions that use it."),
    Fault((5061, 5064, 5070), _T, "the database cannot be locked, others use it", _WAIT),
    Fault((922,), _T, "the database is being recovered", _WAIT),
    Fault((1205, 1222), _T, "the server preferred another session", _WAIT),
    # Where the database stands.
    Fault((3117,), _S, "the database does not wait for roll forward", _REPLAN),
    Fault((3118,), _S, "a log or differential for a database that is absent", _REPLAN),
    Fault((3120,), _S, "the database is beyond this backup already", _REPLAN),
    Fault((3153,), _S, "the database is open already", "Nothing is left to do."),
    Fault((911, 3701), _S, "the database is absent", _REPLAN),
    Fault((927,), _S, "the database is in the middle of a restore", _REPLAN),
    Fault((4303, 4318, 4331), _S, "too early to recover", "Apply the next log first."),
    Fault((4305, 4349), _S, "a log is missing before this one", "Find the earlier log backup."),
    Fault((4326,), _S, "the database is beyond this log already", _REPLAN),
    Fault((4319, 4320), _S, "an earlier restore was interrupted", "Restore that set again."),
    Fault((4332, 4333), _D, "roll forward was halted, or has not begun", _REPLAN, Kind.SIGNAL),
    Fault(
        (4308, 4315, 4322, 4329, 4339), _I, "more has to be restored first", "Go on with the next."
    ),
    # Backups that do not belong there.
    Fault(
        (3136,), _F, "the differential has another base", "Restore the full that it is based on."
    ),
    Fault(
        (3178,), _F, "a file is not at the base of the differential", "Restore the full it needs."
    ),
    Fault((3154,), _F, "the name belongs to another database", _NEVER_REPLACE),
    Fault((3141, 3142), _F, "a name or file belongs to another database", _NEVER_REPLACE),
    Fault((3159,), _F, "the database exists and its log was not saved", _NEVER_REPLACE),
    Fault((1801,), _F, "the name exists on the server", _NEVER_REPLACE),
    Fault((1834,), _F, "a file belongs to another database", _NEVER_REPLACE),
    Fault((3155,), _F, "files were added or dropped since", "Restore a newer full backup."),
    Fault(
        (4330, 3121), _F, "the backup is of another recovery path", "Begin with a full of its path."
    ),
    Fault((4312,), _F, "the source broke its log chain", "Take a new full or differential."),
    Fault(
        (3168, 3169),
        _F,
        "the backup is of a newer version than the server",
        "Choose a target of the source's version or later.",
    ),
    Fault((3147, 3708), _F, "this is a system database", "Choose another name for the target."),
    Fault((3180,), _F, "STANDBY is impossible when an upgrade is needed", "Use NORECOVERY."),
    Fault(
        (3145, 4327, 4334, 4335, 4338, 4340, 4341, 4343),
        _F,
        "the stop point cannot be reached",
        "Choose another point to stop at.",
    ),
    Fault((4323,), _F, "an earlier step went on after an error", "Begin again with the full."),
    Fault(
        (33111,),
        _F,
        "the certificate of the encryption is missing",
        "Create the certificate with this thumbprint, and its private key, on the target.",
    ),
    Fault((15581,), _F, "the database master key is missing or closed", "Create or open it."),
    # Damage and unfinished files.
    Fault((3182, 3186), _F, "the backup is marked as damaged", "Take a new backup."),
    Fault((3183, 3189), _F, "damage was found while reading", _COPY_AGAIN),
    Fault((3241,), _F, "the file is damaged, or of a newer server", _COPY_AGAIN),
    Fault((3242, 3243, 3255), _F, "the file is no SQL Server backup", _COPY_AGAIN),
    Fault((3208, 3254, 3256), _F, "the file is empty, truncated or unfinished", _COPY_AGAIN),
    Fault((3266, 3287), _F, "the end of the media or a file entry is damaged", _COPY_AGAIN),
    Fault((3268, 3269, 3284), _F, "the block size does not fit the file", _COPY_AGAIN),
    # Stripes.
    Fault((3132, 3231), _F, "files of a striped backup are missing", "Upload all its files."),
    Fault((3227, 3232, 3258), _F, "files of different backups are mixed", "Upload one set whole."),
    # Devices, URLs, credentials.
    Fault((3201,), _D, "a backup file cannot be opened", "Check the blob and the credential."),
    Fault((3202, 3203), _D, "reading or writing failed", _WAIT, Kind.TRANSIENT),
    Fault((3229, 3230), _T, "the device timed out", _WAIT),
    Fault((3270, 3271), _D, "the device failed", _WAIT, Kind.TRANSIENT),
    Fault((3290, 3292, 3293, 3298), _D, "the blob service failed", _WAIT, Kind.TRANSIENT),
    Fault((15530,), _F, "the credential exists already", "It is used as it is."),
    Fault((3291, 3297), _F, "the URL or an option does not suit blobs", "Rename the blob."),
    Fault(
        (3220, 3225, 3288, 3289),
        _F,
        "the server's credential for the container is missing or of the wrong kind",
        "Create a credential named like the container's URL, for a shared access signature or a "
        "managed identity.",
    ),
    Fault(
        (37563,),
        _F,
        "the server has no primary managed identity",
        "Select a primary managed identity for the server.",
    ),
    Fault((3199,), _F, "MAXTRANSFERSIZE is smaller than the backup's", _NEW_OPTIONS),
    # The target's disks and files.
    Fault((3257, 1105, 3442), _F, "the target's disk is too small", "Free space on the target."),
    Fault((3633, 3634), _D, "an operation on a file failed", "Look at the target's disks."),
    Fault((5120, 5123), _D, "a database file cannot be opened", "Look at the target's disks."),
    Fault((5133,), _F, "a folder of the target is missing", "Create it, or name another."),
    Fault((3156,), _F, "a file cannot be put there", "Look at the server's default folders."),
    Fault((3119,), _F, "planning the RESTORE failed", "Look at the cause."),
    Fault(
        (5105, 5110, 5170), _F, "a database file cannot be created", "Look at the target's folders."
    ),
    Fault((5171,), _F, "a file is no primary database file", "Look at the target's folders."),
    Fault((823, 824, 825), _F, "the target's disks fail", "Have the target's disks checked."),
    Fault((3302, 3313, 3314), _F, "redo or undo of the log failed", "Begin again with the full."),
    Fault(
        (3441, 3443, 3445), _F, "the standby file is lost or foreign", "Begin again with the full."
    ),
    Fault((5011, 5069), _F, "the database cannot be altered", "Check its state and the login."),
    Fault((5052, 5063), _S, "the database is restoring or in standby", _REPLAN),
    # Server and login.
    Fault((6005,), _T, "the server shuts down", _WAIT),
    Fault((18401,), _T, "the server is still upgrading its own databases", _WAIT),
    Fault((4060, 4064), _T, "the login's database cannot be opened", _WAIT),
    Fault(
        (18456, 18470, 18486, 18487, 18488),
        _F,
        "the login was refused",
        "Check the user and the password, or the identity, that the app uses for this server.",
    ),
    Fault(
        (6102,),
        _F,
        "the login may not end the sessions that read the database",
        "Give the login ALTER ANY CONNECTION, or let the readers leave the database.",
    ),
    Fault((6101, 6104, 6106, 6107), _F, "the session cannot be killed", "Look at the sessions."),
    # Azure.
    Fault((40197, 40501, 40613), _T, "Azure moves or limits the database", _WAIT),
    Fault((42109, 49918, 49919, 49920, 10928, 10929), _T, "the service is busy", _WAIT),
    Fault((42108,), _F, "the pool is paused", "Resume it."),
    Fault(
        (40532, 40615),
        _F,
        "the address is not let in",
        "Check the server's name, and let the app's network through its firewall.",
    ),
    Fault(
        (41901, 41902, 41903, 41906, 41907),
        _F,
        "a managed instance does not restore this way",
        "Migrate with the managed instance as the target, not as a SQL Server.",
    ),
    Fault(
        (
            *(41911, 41912, 41913, 41914, 41915, 41916, 41918, 41919, 41920, 41921),
            *(41923, 41924, 41925, 41926, 41929, 41934, 41935, 41939),
        ),
        _F,
        "a limit of the managed instance",
        "Look up the number in the limits of Azure SQL Managed Instance.",
    ),
    Fault(tuple(range(41954, 41962)), _T, "the service had a transient error", _WAIT),
)

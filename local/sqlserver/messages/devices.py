"""Messages about the devices and media of a RESTORE."""

from __future__ import annotations

DEVICES: dict[int, tuple[int, str]] = {
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

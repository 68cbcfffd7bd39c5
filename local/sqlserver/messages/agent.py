"""Messages of SQL Server Agent and of the procedures in msdb."""

from __future__ import annotations

AGENT: dict[int, tuple[int, str]] = {
    14234: (16, "The specified '{}' is invalid (valid values are returned by {})."),
    14235: (
        16,
        "The specified '{}' is invalid (valid values are greater than 0 but excluding {}).",
    ),
    14243: (10, "Job '{}' started successfully."),
    14254: (10, "Job '{}' stopped successfully."),
    14256: (
        16,
        'Cannot start the job "{}" (ID {}) because it does not have any job server or servers '
        "defined. Associate the job with a job server by calling sp_add_jobserver.",
    ),
    14257: (
        16,
        'Cannot stop the job "{}" (ID {}) because it does not have any job server or servers '
        "defined. Associate the job with a job server by calling sp_add_jobserver.",
    ),
    14261: (16, "The specified {} ('{}') already exists."),
    14262: (16, "The specified {} ('{}') does not exist."),
    14266: (16, "The specified '{}' is invalid (valid values are: {})."),
    14269: (16, "Job '{}' is already targeted at server '{}'."),
    14270: (16, "Job '{}' is not currently targeted at server '{}'."),
    14284: (16, "Cannot specify a job ID for a new job. An ID will be assigned by the procedure."),
    14290: (
        16,
        "This job is currently targeted at the local server so cannot also be targeted at a "
        "remote server.",
    ),
    14294: (16, "Supply either {} or {} to identify the job."),
    14390: (16, "Only members of role sysadmin can specify the {} parameter."),
    14226: (10, "{} history entries purged."),
    14392: (
        16,
        "Only owner of a job or members of role sysadmin or SQLAgentOperatorRole can purge "
        "history of the job.",
    ),
    14393: (
        16,
        "Only owner of a job or members of role sysadmin or SQLAgentOperatorRole can start and "
        "stop the job.",
    ),
    14515: (
        16,
        "Only a member of the sysadmin server role can add a job for a different owner with "
        "@owner_login_name.",
    ),
    14525: (
        16,
        "Only members of sysadmin role are allowed to update or delete jobs owned by a different "
        "login.",
    ),
    22022: (16, "SQLServerAgent Error: {}"),
}

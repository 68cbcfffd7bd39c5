"""The domain: what the words of a migration mean.

Nothing here imports `azure.functions` or `azure.durable_functions`; `chain`, `acceptance`,
`lsn`, `backupset` and `backupfile` import no SDK at all, only pydantic.
"""

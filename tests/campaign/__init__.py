"""Random histories of backups, moved while everything around them fails. See `__main__`."""

"""Backup devices: files and blobs that RESTORE reads, and the media sets they form."""

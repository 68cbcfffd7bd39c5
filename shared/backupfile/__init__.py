"""Reads a SQL Server backup from its bytes."""

"""Tests of the simulated SQL Server."""

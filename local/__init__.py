"""Stands in for Azure on one machine: storage, blob events, the Functions host, a SQL Server.

Never deployed, and nothing that is deployed imports it.
"""

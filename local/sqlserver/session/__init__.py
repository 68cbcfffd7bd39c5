"""Connections: login, requests, cancel. It puts `wire`, `tsql`, `catalog` and `engine` together."""

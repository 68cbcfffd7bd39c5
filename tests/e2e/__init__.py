"""Runs the whole thing: the deployed app on the embedded host, Azurite, the simulated server."""

"""Tests of Backhaul; tests/e2e runs the whole thing."""

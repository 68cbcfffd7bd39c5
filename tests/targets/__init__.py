"""Tests of shared/targets."""

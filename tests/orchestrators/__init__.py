"""Tests of the orchestrators: plain generators, driven step by step."""

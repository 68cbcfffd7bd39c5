"""Tests of `shared.verification`: on real backups where they are at hand, on samples always."""

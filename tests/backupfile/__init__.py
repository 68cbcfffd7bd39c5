"""Tests of `shared.backupfile`: on real backups where they are at hand, on samples always."""

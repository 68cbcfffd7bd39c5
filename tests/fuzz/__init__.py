"""Coverage-guided runs against what reads hostile bytes; a command apart from the tests."""

"""The tabular data stream (TDS 7.4): bytes in, values out, and back.

Pure, except `transport` and `certificate`; nothing here knows a database.
Source: Microsoft, [MS-TDS] Tabular Data Stream Protocol.
"""

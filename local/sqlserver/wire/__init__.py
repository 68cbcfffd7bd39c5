"""The tabular data stream (TDS 7.4): bytes in, values out, and back. Pure, except `transport`.

Source: Microsoft, [MS-TDS] Tabular Data Stream Protocol. Nothing here knows a database.
"""

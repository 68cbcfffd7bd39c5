"""HTTP as the server speaks it, with a bound on what comes before a request can be looked at.

The parser itself takes heads, and trailers behind a body, of any length. A body is bounded by who
reads it.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 1024
"""Of request line and header fields together."""


class BoundedHttp(HttpToolsProtocol):
    """Ends a connection with status 400 that goes on and on without a body or a whole request."""

    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The header has more than {MOST_HEAD_BYTES} bytes.")

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        self._head_bytes = 0
        super().on_message_complete()

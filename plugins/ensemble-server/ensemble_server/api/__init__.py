"""What programs talk to: JSON over HTTP, events over SSE and WebSocket."""

"""Live events, from the worker that makes them to whoever watches."""

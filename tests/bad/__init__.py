"""Files nobody should have to read, made by a script."""

"""The web page: what was read beside its source, to check and to hear."""

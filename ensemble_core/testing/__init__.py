"""The conformance kit for plugin authors: one contract class per kind."""

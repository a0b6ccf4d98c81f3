"""The commands this plugin adds to ``ensemble``."""

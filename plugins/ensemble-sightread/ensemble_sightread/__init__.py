"""Ensemble's own recognizer: reads printed music on one core, with nothing to download."""

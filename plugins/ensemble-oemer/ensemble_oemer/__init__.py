"""The oemer recognizer for Ensemble."""

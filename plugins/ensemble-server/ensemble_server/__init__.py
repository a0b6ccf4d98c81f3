"""Ensemble as a web application and an HTTP service."""

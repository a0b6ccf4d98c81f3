"""Reads PDF documents into Ensemble."""

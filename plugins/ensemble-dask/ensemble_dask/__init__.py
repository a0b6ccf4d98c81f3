"""Runs Ensemble's tasks on a Dask cluster."""

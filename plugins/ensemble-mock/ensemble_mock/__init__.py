"""A made-up recognizer for developing with Ensemble, with faults to switch on."""

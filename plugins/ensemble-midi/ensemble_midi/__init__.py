"""MIDI files from Ensemble's scores, played as a musician would."""

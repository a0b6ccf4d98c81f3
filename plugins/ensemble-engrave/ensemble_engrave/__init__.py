"""Re-engraves Ensemble's scores: SVG, PDF, PNG, MEI and a web page to look at and listen to."""

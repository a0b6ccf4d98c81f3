"""Image enhancers for Ensemble: sharpen, enhance, deskew, flatten, binarize, crop."""

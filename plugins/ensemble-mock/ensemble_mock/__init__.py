"""A made-up recognizer: predictable scores, and faults to switch on."""

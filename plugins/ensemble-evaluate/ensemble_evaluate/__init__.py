"""How well recognizers read: the same pages for all of them, compared with the truth."""

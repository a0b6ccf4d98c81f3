"""``ensemble remote``: the command line's own ways, with the work done by a service."""

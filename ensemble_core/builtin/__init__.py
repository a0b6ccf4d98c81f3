"""The few components the core ships itself, registered like anyone's."""

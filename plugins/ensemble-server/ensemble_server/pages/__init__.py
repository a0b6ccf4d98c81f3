"""The pages people see: rendered here with Jinja2, with a little plain JavaScript on top."""

from .installing import install

__all__ = ["install"]

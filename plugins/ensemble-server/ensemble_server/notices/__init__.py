"""Telling users of what happened to their jobs: by webhook and by mail.

What is to be told stands in the database (``notices``) from the moment the job ended, so that
nothing is lost when a process dies; a sender on each node delivers it, each message once at a time.
"""

from .queueing import announce
from .sending import loop, send_due

__all__ = ["announce", "loop", "send_due"]

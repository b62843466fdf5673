"""Log lines are JSON and name the request they belong to."""

import logging
from contextvars import ContextVar

request_id = ContextVar("request_id", default="")


class RequestIdFilter(logging.Filter):
    """Puts the current request's id on every record."""

    def filter(self, record):
        record.request_id = request_id.get()
        return True

"""Log lines are JSON and name the request or the job they belong to."""

import logging
from contextvars import ContextVar

request_id = ContextVar("request_id", default="")
job_id = ContextVar("job_id", default="")


class ContextFilter(logging.Filter):
    """Puts the current request's or job's id on every record."""

    def filter(self, record):
        for name, variable in (("request_id", request_id), ("job_id", job_id)):
            if variable.get():
                setattr(record, name, variable.get())
        return True

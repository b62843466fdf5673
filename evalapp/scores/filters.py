"""What can be asked of the list of scores."""

from evalapp.scores.models import DataType, Source


def filter_scores(scores, params):
    """Return the scores that the query string asks for; a value that is empty or unknown asks for nothing."""
    for name, column in (("name", "name"), ("queue", "queue_id"), ("trace", "trace_id")):
        if value := params.get(name, "").replace("\0", ""):
            scores = scores.filter(**{column: value})
    if params.get("source") in Source.values:
        scores = scores.filter(source=params["source"])
    if params.get("type") in DataType.values:
        scores = scores.filter(data_type=params["type"])
    if params.get("author", "").isascii() and params.get("author", "").isdigit():
        scores = scores.filter(author_id=int(params["author"][:9]))
    return scores

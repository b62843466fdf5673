"""The event batch of the older SDKs over the API."""

from django.core.exceptions import PermissionDenied, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.projects.authentication import ScoreAuthentication
from evalapp.scores.ingestion import refusal, store_batch


class Ingestion(APIView):
    """POST stores a batch of events; 207 says of each what became of it."""

    authentication_classes = [ScoreAuthentication]
    rate_limit = "ingestion"
    # Event type → function of an upper app that stores it; see store_batch.
    more_handlers = {}

    def post(self, request):
        batch = request.data.get("batch") if isinstance(request.data, dict) else None
        if not isinstance(batch, list):
            raise ValidationError({"batch": "Send a list of events."})
        if request.auth.may_only_score and not all(map(_is_score, batch)):
            raise PermissionDenied("A public key without its secret may only send scores.")
        events = store_batch(request.auth, batch, self.more_handlers)
        return Response(
            {
                "successes": [{"id": event.id, "status": 201} for event in events if event.error is None],
                "errors": [refusal(event) for event in events if event.error is not None],
            },
            status=207,
        )


def _is_score(event):
    return isinstance(event, dict) and event.get("type") == "score-create"

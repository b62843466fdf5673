"""E-mails are jobs: a mail server that is away, or a killed worker, loses none."""

from email.utils import make_msgid

from django.core.mail import EmailMultiAlternatives

from evalapp.core.jobs import enqueue


def send_later(message, *, project_id=""):
    """Enqueue a django EmailMessage in the caller's transaction. Its text is forgotten once it has been sent."""
    return enqueue(
        "core.send_mail",
        {
            "subject": str(message.subject),
            "body": message.body,
            "from_email": message.from_email,
            "to": list(message.to),
            "alternatives": [[part.content, part.mimetype] for part in getattr(message, "alternatives", [])],
            # The same id at every attempt, so that a mail that went out twice is recognised as one.
            "message_id": make_msgid(domain="evalapp"),
        },
        project_id=project_id,
    )


def send(payload):
    """Send what `send_later` enqueued."""
    message = EmailMultiAlternatives(
        payload["subject"],
        payload["body"],
        payload["from_email"],
        payload["to"],
        headers={"Message-ID": payload["message_id"]},
    )
    for content, mimetype in payload["alternatives"]:
        message.attach_alternative(content, mimetype)
    message.send()

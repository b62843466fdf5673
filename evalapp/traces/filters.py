"""The trace list's filter: what the URL says, checked, as questions to the traces."""

from datetime import timedelta
from urllib.parse import urlencode

from django import forms
from django.utils.timezone import now

PERIODS = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}


class StorableCharField(forms.CharField):
    """Text that PostgreSQL can compare with (Django refuses NUL here already)."""

    def __init__(self, **options):
        super().__init__(required=False, max_length=255, **options)


class MomentInput(forms.DateTimeInput):
    """The browser's own picker, which speaks ISO 8601 only."""

    input_type = "datetime-local"

    def __init__(self):
        super().__init__(format="%Y-%m-%dT%H:%M")


class TraceFilter(forms.Form):
    """Each field that is valid narrows the list; one that is not says so and is left out."""

    q = StorableCharField(label="Name or id")
    tag = StorableCharField(label="Tag")
    user = StorableCharField(label="User")
    session = StorableCharField(label="Session")
    environment = StorableCharField(label="Environment")
    failed = forms.BooleanField(label="Has errors", required=False)
    period = forms.ChoiceField(
        label="Time",
        required=False,
        choices=[("", "Any time"), *((key, label) for key, (label, _) in PERIODS.items())],
    )
    since = forms.DateTimeField(label="From (UTC)", required=False, widget=MomentInput)
    until = forms.DateTimeField(label="Until (UTC)", required=False, widget=MomentInput)

    def __init__(self, params):
        super().__init__(params)
        self.params = params
        self.is_valid()
        self.given = {name: value for name, value in self.cleaned_data.items() if value}

    def apply(self, traces):
        """Return those of `traces` that the filter lets through."""
        given = self.given
        if "q" in given:
            traces = traces.mentioning(given["q"])
        if "tag" in given:
            traces = traces.tagged(given["tag"])
        if "user" in given:
            traces = traces.of_user(given["user"])
        if "session" in given:
            traces = traces.of_session(given["session"])
        if "environment" in given:
            traces = traces.in_environment(given["environment"])
        if "failed" in given:
            traces = traces.with_errors()
        if "period" in given:
            traces = traces.between(now() - PERIODS[given["period"]][1], None)
        return traces.between(given.get("since"), given.get("until"))

    @property
    def is_active(self):
        return bool(self.given)

    @property
    def chips(self):
        """What is filtered by, each with the query string that takes it away."""
        return [
            {"label": self.fields[name].label, "value": self._words(name, value), "url": f"?{self._without(name)}"}
            for name, value in self.given.items()
        ]

    @property
    def errors_by_field(self):
        return {self.fields[name].label: messages for name, messages in self.errors.items() if name in self.fields}

    def _words(self, name, value):
        if name == "period":
            return PERIODS[value][0]
        return "" if value is True else value if isinstance(value, str) else f"{value:%Y-%m-%d %H:%M}"

    def _without(self, name):
        gone = (name, "before", "after")
        return urlencode([(key, value) for key, value in self.params.items() if value and key not in gone])

"""Forms about traces. They clean; actions save."""

from django import forms

_MILLION = 1_000_000


class ModelForm(forms.Form):
    """What a project pays for a model, in dollars a million tokens, as providers list it."""

    name = forms.CharField(max_length=255, help_text="How people call it.")
    match_pattern = forms.CharField(
        max_length=1000,
        label="Matches",
        strip=False,
        help_text="A regular expression for the whole model name, such as our-model-.*",
    )
    input = forms.FloatField(min_value=0, required=False, label="Input, $ per million tokens")
    output = forms.FloatField(min_value=0, required=False, label="Output, $ per million tokens")

    def prices(self):
        """Return {usage key: dollars a token} of what was filled in."""
        given = {key: self.cleaned_data.get(key) for key in ("input", "output")}
        return {key: price / _MILLION for key, price in given.items() if price is not None}

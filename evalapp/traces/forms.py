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

    _LISTED = ("input", "output")

    @classmethod
    def values_of(cls, model):
        """Return the form's values of a stored definition."""
        prices = {key: price for key, price in model.listed_prices if key in cls._LISTED}
        return {"name": model.name, "match_pattern": model.match_pattern, **prices}

    def prices(self, edited=None):
        """Return {usage key: dollars a token} of what was filled in.

        Prices of other kinds of tokens, which only the API sets, stay as `edited` has them.
        """
        others = {key: price for key, price in edited.prices.items() if key not in self._LISTED} if edited else {}
        given = {key: self.cleaned_data.get(key) for key in self._LISTED}
        return {key: price / _MILLION for key, price in given.items() if price is not None} | others

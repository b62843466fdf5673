"""Forms of score configs. They clean; actions save."""

from django import forms

from evalapp.scores.models import DataType, ScoreConfig

SPARE_ROWS = 3
MAX_CATEGORIES = 100


class ConfigForm(forms.ModelForm):
    """A score config. Its categories are rows of label and value, with spare rows to add more without a script."""

    data_type = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in ScoreConfig.CONFIGURABLE],
        widget=forms.RadioSelect,
        label="Type",
        initial=DataType.BOOLEAN,
        help_text="It cannot be changed later.",
    )

    class Meta:
        model = ScoreConfig
        fields = ["name", "data_type", "min_value", "max_value", "description", "guidance"]
        labels = {"min_value": "Minimum", "max_value": "Maximum"}
        widgets = {"description": forms.TextInput, "guidance": forms.Textarea(attrs={"rows": 5})}
        help_texts = {
            "description": "One line below the field.",
            "guidance": "Markdown: when to choose what, with examples.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.instance._state.adding:
            del self.fields["data_type"]
        self.fields["name"].max_length = 35

    @property
    def category_rows(self):
        """The rows that the page shows: what was typed, or what is stored, and spare ones."""
        rows = self._typed() if self.is_bound else list(self.instance.categories)
        if self.is_bound or not self.instance.categories:
            rows = rows or [{"label": "", "value": ""}]
        spare = [{"label": "", "value": ""} for _ in range(SPARE_ROWS)]
        return [(number, row) for number, row in enumerate(rows + spare)]

    def clean(self):
        cleaned = super().clean()
        kind = cleaned.get("data_type") or self.instance.data_type
        if kind == DataType.CATEGORICAL:
            cleaned["categories"] = self._categories()
        return cleaned

    def _typed(self):
        rows = []
        for number in range(MAX_CATEGORIES + SPARE_ROWS):
            row = {key: self.data.get(f"category-{number}-{key}", "").strip() for key in ("label", "value")}
            if any(row.values()):
                rows.append(row)
        return rows

    def _categories(self):
        """Return the rows with numbers; a value that was left out is the next free whole number."""
        rows, taken = self._typed(), set()
        for row in rows:
            if row["value"]:
                try:
                    row["value"] = float(row["value"].replace(",", "."))
                except ValueError:
                    continue  # the action refuses it, with the label
                taken.add(row["value"])
        for row in rows:
            if row["value"] == "":
                row["value"] = next(float(n) for n in range(len(rows) + len(taken) + 1) if n not in taken)
                taken.add(row["value"])
        return rows

"""Forms of queues. They clean; actions save."""

from django import forms

from annotation.models import AnnotationQueue
from evalapp.projects.models import Role, User

MAX_FIELDS = 40


class QueueForm(forms.ModelForm):
    """A queue's settings. The fields it asks are read beside it, from `fields-…` (see `chosen_fields`)."""

    reviewers = forms.ModelMultipleChoiceField(
        User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Nobody ticked: everyone who may review.",
    )

    class Meta:
        model = AnnotationQueue
        fields = ["name", "description", "instructions", "reviewers_per_item", "reservation_minutes"]
        fields += ["order", "order_seed", "reviewers"]
        labels = {
            "reviewers_per_item": "Reviewers per item",
            "reservation_minutes": "Reservation, minutes",
            "order": "Order of items",
            "order_seed": "Seed of the random order",
        }
        widgets = {
            "description": forms.TextInput,
            "instructions": forms.Textarea(attrs={"rows": 6}),
            "reviewers_per_item": forms.NumberInput(attrs={"min": 1, "max": 20}),
            "reservation_minutes": forms.NumberInput(attrs={"min": 1, "max": 1440}),
        }
        help_texts = {
            "instructions": "Markdown, shown beside every trace.",
            "reservation_minutes": "An item nobody types into for so long is free for others again.",
        }

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.project = project
        may_review = project.memberships.exclude(role=Role.VIEWER).values("user")
        self.fields["reviewers"].queryset = User.objects.filter(pk__in=may_review).order_by("name", "email")

    def clean_reviewers_per_item(self):
        return _within(self.cleaned_data["reviewers_per_item"], 1, 20)

    def clean_reservation_minutes(self):
        return _within(self.cleaned_data["reservation_minutes"], 1, 1440)

    def clean(self):
        cleaned = super().clean()
        cleaned["fields"] = self.chosen_fields()
        if not cleaned["fields"]:
            self.add_error(None, "Choose at least one field.")
        return cleaned

    def rows(self):
        """Every config in use, the chosen ones first and in order, as the form shows them."""
        if self.is_bound:
            chosen = {config.pk: required for config, required in self.chosen_fields()}
        elif self.instance.pk:
            chosen = {field.config_id: field.required for field in self.instance.questions}
        else:
            chosen = {}
        order = {pk: number for number, pk in enumerate(chosen, 1)}
        configs = sorted(self._configs(), key=lambda config: (order.get(config.pk, MAX_FIELDS), config.name))
        return [
            {
                "config": config,
                "chosen": config.pk in chosen,
                "required": chosen.get(config.pk, False),
                "position": order.get(config.pk, ""),
            }
            for config in configs
        ]

    def chosen_fields(self):
        """Return [(config, required)] by the numbers that were given, then in the order of the form."""
        chosen = []
        for number, config in enumerate(self._configs()):
            if f"use-{config.pk}" not in self.data:
                continue
            text = self.data.get(f"position-{config.pk}", "")
            position = int(text) if text.isascii() and text.isdigit() else MAX_FIELDS
            chosen.append((position, number, config, f"required-{config.pk}" in self.data))
        return [(config, required) for _, _, config, required in sorted(chosen, key=lambda row: row[:2])]

    def _configs(self):
        return list(self.project.score_configs.active().order_by("created_at", "pk"))


def _within(number, low, high):
    if not low <= number <= high:
        raise forms.ValidationError(f"From {low} to {high}.")
    return number

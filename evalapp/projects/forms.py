"""What people may enter about projects, members and keys. A form cleans, it never saves."""

from django import forms
from django.contrib.auth import password_validation

from evalapp.projects.models import Role, User

_NEW_PASSWORD = forms.PasswordInput(attrs={"autocomplete": "new-password"})


class NewProjectForm(forms.Form):
    """A project, in one of `organizations` or in a new one."""

    name = forms.CharField(max_length=100, label="Project name")
    organization = forms.ModelChoiceField(None, required=False, empty_label="A new organization")
    organization_name = forms.CharField(max_length=100, required=False, label="Name of the new organization")

    def __init__(self, *args, organizations, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = organizations
        if not organizations:
            del self.fields["organization"]
            self.fields["organization_name"].required = True
            self.fields["organization_name"].label = "Organization"

    def clean(self):
        data = super().clean()
        if "organization" in self.fields and not (data.get("organization") or data.get("organization_name")):
            self.add_error("organization_name", "Name the new organization, or choose one above.")
        return data


class ProjectForm(forms.Form):
    name = forms.CharField(max_length=100, label="Name")


class DeleteProjectForm(forms.Form):
    confirmation = forms.CharField(label="Project name", widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.project = project

    def clean_confirmation(self):
        if self.cleaned_data["confirmation"] != self.project.name:
            raise forms.ValidationError(f"This is not the project's name. Type: {self.project.name}")
        return self.cleaned_data["confirmation"]


class RoleForm(forms.Form):
    """A role, among those that the person who chooses may give."""

    role = forms.ChoiceField()

    def __init__(self, *args, with_owner, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [choice for choice in Role.choices if with_owner or choice[0] != Role.OWNER]


class InvitationForm(RoleForm):
    email = forms.EmailField(label="E-mail address")
    field_order = ["email", "role"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].initial = Role.MEMBER


class ApiKeyForm(forms.Form):
    note = forms.CharField(
        max_length=100, required=False, label="Note", help_text="Where it is used, such as “production agent”."
    )


class PersonForm(forms.Form):
    name = forms.CharField(max_length=150, label="Name", widget=forms.TextInput(attrs={"autocomplete": "name"}))


class JoinForm(PersonForm):
    """Somebody new, who comes by an invitation to `email`."""

    password = forms.CharField(widget=_NEW_PASSWORD, label="Password", help_text="At least 10 characters.")

    def __init__(self, *args, email, **kwargs):
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self):
        data = super().clean()
        if password := data.get("password"):
            try:
                password_validation.validate_password(password, User(email=self.email, name=data.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return data

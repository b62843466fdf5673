"""What forms share."""


def add_errors(form, error):
    """Show an action's ValidationError at the fields it names; what names no field of the form stands above it."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, texts in error.message_dict.items():
        form.add_error(field if field in form.fields else None, texts)

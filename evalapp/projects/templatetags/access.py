"""Template access to the permission table, and to what browsers say of themselves."""

from django import template

from evalapp.projects import access
from evalapp.projects.browsers import describe

register = template.Library()


@register.filter
def allows(membership, permission):
    """`{% if request.membership|allows:"traces.read" %}`"""
    return access.allows(membership, permission)


@register.filter
def browser(user_agent):
    """`{{ session.user_agent|browser }}`: "Firefox on macOS"."""
    return describe(user_agent)

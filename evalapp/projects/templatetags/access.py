"""Template access to the permission table."""

from django import template

from evalapp.projects import access

register = template.Library()


@register.filter
def allows(membership, permission):
    """`{% if request.membership|allows:"traces.read" %}`"""
    return access.allows(membership, permission)

"""How django-allauth behaves here: nobody signs up by themselves, and its e-mails are durable jobs."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site

from evalapp.core import encryption
from evalapp.core.mail import send_later


class AccountAdapter(DefaultAccountAdapter):
    """People join by invitation."""

    def is_open_for_signup(self, request):
        return False

    def send_mail(self, template_prefix, email, context):
        """Render now, while the request is there; a worker sends."""
        request = allauth_context.request
        shared = {"request": request, "email": email, "current_site": get_current_site(request)}
        send_later(self.render_mail(template_prefix, email, {**shared, **context}))


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Single sign-on makes the account of somebody new; their projects come by invitation."""

    def is_open_for_signup(self, request, sociallogin):
        return settings.OIDC_SIGN_UP

    def populate_user(self, request, sociallogin, data):
        """Take over the name as well: our User has one field for it."""
        user = super().populate_user(request, sociallogin, data)
        user.name = data.get("name") or f"{data.get('first_name') or ''} {data.get('last_name') or ''}".strip()
        return user


class MFAAdapter(DefaultMFAAdapter):
    """The secrets of second factors are encrypted in the database."""

    def encrypt(self, text):
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text):
        return encryption.decrypt(encrypted_text)

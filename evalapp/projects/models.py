"""Tenants: organizations, projects, the people in them and the keys of their programs."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Case, F, IntegerField, Q, When
from django.db.models.functions import Lower
from django.utils.timezone import now

from evalapp.core.ids import new_id
from evalapp.core.models import Job
from evalapp.projects.keys import hash_secret


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        """Create a person; without a password they can only sign in by link or single sign-on."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)


class User(AbstractBaseUser):
    """A person; what they may do is decided by their memberships alone."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=now)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_is_unique_in_any_case")]

    def __str__(self):
        return self.name or self.email

    @property
    def initials(self):
        """Return one or two letters for the avatar."""
        words = (self.name or self.email.split("@")[0]).replace(".", " ").split()
        return "".join(word[0] for word in words[:2]).upper()

    @property
    def owned_organizations(self):
        """Return the organizations in which this person may make projects."""
        return Organization.objects.owned_by(self)

    @property
    def may_found_organization(self):
        """Whether a new organization may be theirs: owners, and people who are nowhere yet."""
        return not self.memberships.exists() or self.owned_organizations.exists()


class OrganizationQuerySet(models.QuerySet):
    def owned_by(self, user):
        """Organizations in which `user` may make projects: those where they own one."""
        mine = Membership.objects.filter(user=user, role=Role.OWNER)
        return self.filter(pk__in=mine.values("project__organization")).order_by("name", "pk")


class Organization(models.Model):
    """The company or team that owns projects."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    def __str__(self):
        return self.name


class ProjectQuerySet(models.QuerySet):
    def of(self, user):
        """Projects in which `user` has a role."""
        return self.filter(memberships__user=user)


class Project(models.Model):
    """The tenant: every trace, score, queue and key belongs to exactly one."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="projects")
    name = models.CharField(max_length=100)
    is_demo = models.BooleanField(default=False)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    def __str__(self):
        return self.name

    @property
    def jobs(self):
        """Return the project's background jobs; core knows no project, so there is no foreign key."""
        return Job.objects.of_project(self.pk)


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"
    REVIEWER = "reviewer", "Reviewer"
    VIEWER = "viewer", "Viewer"


class MembershipQuerySet(models.QuerySet):
    def latest_visited(self):
        """The project that somebody was in last comes first, then the newest."""
        return self.select_related("project__organization").order_by(
            F("last_visited_at").desc(nulls_last=True), "-created_at", "-pk"
        )

    def with_people(self):
        """Members with their users: owners first, then by role and name."""
        rank = Case(*(When(role=role, then=place) for place, role in enumerate(Role)), output_field=IntegerField())
        return self.select_related("user").order_by(rank, "user__name", "user__email")


class Membership(models.Model):
    """A person's role in a project. What a role may do is written in access.py, nowhere else."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)
    last_visited_at = models.DateTimeField(null=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_role_per_person_and_project")]

    def __str__(self):
        return f"{self.user} is {self.role} of {self.project}"


class InvitationQuerySet(models.QuerySet):
    def open(self):
        """Invitations that can still be accepted."""
        return self.filter(accepted_at=None, expires_at__gt=now())

    def waiting(self):
        """Invitations that nobody has accepted, expired or not, newest first."""
        return self.filter(accepted_at=None).select_related("invited_by").order_by("-created_at")

    def by_token(self, token):
        return self.filter(token_hash=hash_secret(token)).select_related("project__organization", "invited_by")


class Invitation(models.Model):
    """An e-mail address that may join; the token travels by e-mail and only its hash is kept."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "email"],
                condition=Q(accepted_at=None),
                name="one_open_invitation_per_address",
            )
        ]

    def __str__(self):
        return f"{self.email} to {self.project}"

    @classmethod
    def with_token(cls, token):
        """Return the open invitation that the link's token names, or None."""
        return cls.objects.open().by_token(token).first()

    @property
    def is_expired(self):
        """Whether its time is over."""
        return self.expires_at <= now()

    @property
    def addressee(self):
        """Return the person who has this address already, or None."""
        return User.objects.filter(email__iexact=self.email).first()


class SignInLink(models.Model):
    """A one-time link that signs one person in; `up` prints one."""

    user = models.ForeignKey(User, models.CASCADE, related_name="sign_in_links")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"link for {self.user}"


class ApiKeyQuerySet(models.QuerySet):
    def active(self):
        return self.filter(revoked_at=None)

    def active_fast(self, public_key):
        """The active key of that name or None: the same question in SQL, without Django's building of it."""
        sql = "SELECT * FROM projects_apikey WHERE public_key = %s AND revoked_at IS NULL"
        return next(iter(self.raw(sql, [public_key])), None)


class ApiKey(models.Model):
    """A program's credentials. The secret is shown once; its SHA-256 is kept (it is random, so no salt or
    slow hash is needed)."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="api_keys")
    note = models.CharField(max_length=100, blank=True)
    public_key = models.CharField(max_length=100, unique=True)
    secret_hash = models.CharField(max_length=64)
    secret_hint = models.CharField(max_length=20, help_text="The last characters, to tell keys apart.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    # No column: true while a browser uses the key, which sends the public half alone (see authentication.py).
    may_only_score = False

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self):
        return self.public_key

    @property
    def is_authenticated(self):
        """DRF asks this of whoever makes the request."""
        return True


class AuditEntry(models.Model):
    """One change, by whom, with the values before and after. Append-only; no foreign key to the object, which
    may be gone."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="audit_entries")
    at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=255)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="audit_newest_first")]

    def __str__(self):
        return f"{self.action} {self.object_type} {self.object_id}"

    @property
    def changes(self):
        """Return [(name, before, after)] of the values that differ; None where there was or is none."""
        before, after = self.before or {}, self.after or {}
        rows = [(name, before.get(name), after.get(name)) for name in {**before, **after}]
        return [row for row in rows if row[1] != row[2] and row[1:] != (None, "")]

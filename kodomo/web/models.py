"""Staff accounts: who signs in, with which role, for which office (casework side)."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from kodomo.governance.permissions import Actor, Role
from kodomo.web.devices import Authenticator, PaperCode, PaperCodes

__all__ = ["Authenticator", "PaperCode", "PaperCodes", "Staff", "StaffManager"]


class StaffManager(BaseUserManager["Staff"]):
    """Makes accounts."""

    def create_account(self, username: str, *, name: str, role: Role, office: str, password: str) -> Staff:
        """A new account that can sign in with this password."""
        account = self.model(username=username, name=name, role=role, office=office)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Staff(AbstractBaseUser):  # type: ignore[django-manager-missing]
    """職員: one person's account. Everything it may do follows from its role and office."""

    username = models.CharField("利用者番号", max_length=64, unique=True)
    name = models.CharField("氏名", max_length=64)
    role = models.CharField("役割", max_length=32, choices=[(role.value, role.label) for role in Role])
    office = models.CharField("部署", max_length=64)
    is_active = models.BooleanField("使える", default=True)
    is_demo = models.BooleanField("デモ用", default=False)
    must_change_password = models.BooleanField("次回パスワード変更", default=False)

    objects = StaffManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name", "role", "office"]

    class Meta:
        ordering = ("username",)

    def __str__(self) -> str:
        return self.username

    @property
    def actor(self) -> Actor:
        """The account as the permissions and the audit trail know it."""
        return Actor(self.username, self.name, Role(self.role), self.office)

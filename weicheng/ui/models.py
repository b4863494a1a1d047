"""Saved views: a name for a query of a list."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

NAME_LENGTH = 40
QUERY_LENGTH = 2000


class SavedViewQuerySet(models.QuerySet):
    def visible_to(self, actor: Any) -> "SavedViewQuerySet":
        """Return the views of the actor's own user; a view is nobody else's business."""
        user_id = getattr(actor, "user_id", None)
        return self.none() if user_id is None else self.filter(user_id=user_id)


class SavedView(models.Model):
    """A reader's own name for the filters, columns and order of one list."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    list_key = models.CharField(max_length=60)
    name = models.CharField(max_length=NAME_LENGTH)
    query = models.CharField(max_length=QUERY_LENGTH, blank=True)
    is_default = models.BooleanField(default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "list_key", "name"], name="ui_view_name_is_used_once"),
            models.UniqueConstraint(
                fields=["user", "list_key"], condition=Q(is_default=True), name="ui_list_has_one_default_view"
            ),
        ]

    def __str__(self) -> str:
        return self.name

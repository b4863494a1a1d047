"""Keep and drop a saved view: a reader's bookmark, not a fact, so the journal does not record it."""

from typing import Any

from django.db import transaction
from django.http import QueryDict

from weicheng.rules.errors import N_, RuleError
from weicheng.ui.models import NAME_LENGTH, QUERY_LENGTH, SavedView

# A view is a choice of rows, not a place among them.
_PASSING = ("after", "before", "count", "export")


@transaction.atomic
def save_view(*, by: Any, list_key: str, name: str, query: str, is_default: bool = False) -> SavedView:
    """Keep `query` under `name` for the actor; the same name again replaces it.

    Raises RuleError: view-name-missing, view-too-long.
    """
    name = " ".join(name.replace("\x00", "").split())
    if not name:
        raise RuleError("view-name-missing", N_("视图还没有名称。请填写名称后再保存。"))
    kept = QueryDict(query.replace("\x00", ""), mutable=True)
    for part in _PASSING:
        kept.pop(part, None)
    text = kept.urlencode(safe=",")
    if len(name) > NAME_LENGTH or len(text) > QUERY_LENGTH or len(list_key) > 60:
        raise RuleError(
            "view-too-long",
            N_("视图“{name}”的名称或筛选条件过长。请把名称缩短到 {limit} 字以内，或减少筛选条件。"),
            name=name[:NAME_LENGTH],
            limit=NAME_LENGTH,
        )
    own = SavedView.objects.visible_to(by).filter(list_key=list_key)
    if is_default:
        own.filter(is_default=True).exclude(name=name).update(is_default=False)
    view, _created = SavedView.objects.update_or_create(
        user_id=by.user_id, list_key=list_key, name=name, defaults={"query": text, "is_default": is_default}
    )
    return view


@transaction.atomic
def delete_view(*, by: Any, view: SavedView) -> None:
    """Drop a view of the actor's own; another's is left alone."""
    SavedView.objects.visible_to(by).filter(pk=view.pk).delete()

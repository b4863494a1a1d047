"""Quick search: a case number leads to its case, words find cases and units in the reader's reach."""

import re

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from weicheng.cases.lists import find
from weicheng.cases.models import Case
from weicheng.places.actor import Actor
from weicheng.places.decorators import power_required
from weicheng.places.http import HttpRequest
from weicheng.places.models import Unit
from weicheng.web.rows import case_rows

SHOWN = 20
# Words are looked for among the newest rows only: a search that reads the whole table is no quick search.
NEWEST = 20_000
LONGEST = 60


def case_by_number(words: str, actor: Actor) -> Case | None:
    """Return the case with this very number, if the actor sees it."""
    found = re.fullmatch(r"([0-9]{8})-([0-9]{6,12})", words, re.ASCII)
    if found is None:
        return None
    case = Case.objects.visible_to(actor).filter(pk=int(found[2])).first()
    return case if case is not None and case.number == words else None


@power_required("sees_cases")
def search(request: HttpRequest) -> HttpResponse:
    """The page of results; a whole case number goes straight to the case."""
    words = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:LONGEST]
    case = case_by_number(words, request.actor)
    if case is not None:
        return redirect(case.url)
    context = {"words": words, "cases": [], "units": [], "more": False, "all_url": reverse("cases")}
    if words:
        newest = Case.objects.visible_to(request.actor).order_by("-id").values("pk")[:NEWEST]
        cases = list(
            find(Case.objects.visible_to(request.actor).filter(pk__in=newest), words)
            .select_related("responsible").order_by("-id")[: SHOWN + 1]
        )  # fmt: skip
        context |= {
            "cases": case_rows(cases[:SHOWN], request.actor),
            "more": len(cases) > SHOWN,
            "units": list(
                Unit.objects.visible_to(request.actor).filter(name__contains=words).order_by("-id")[:SHOWN]
            ),
        }
    return render(request, "web/search.html", context)

"""The pages between a workbook and its rows: upload and dry run, what it would do, commit, the coloured file.

One set for every table of this package; what differs is said in a `SheetPages`.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from weicheng.places import drafts
from weicheng.places.forms import FileForm, attempt, typed
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import RuleError
from weicheng.ui import imports
from weicheng.ui.replies import form_page

_FILE_CODES = (
    "file-empty",
    "file-large",
    "file-password",
    "file-unreadable",
    "file-bomb",
    "file-columns",
    "file-rows",
    "no-head",
    "head-missing",
    "head-twice",
    "no-rows",
)
MOST_SHOWN = 50  # rows said to be written


@dataclass(frozen=True)
class SheetPages:
    """title, list_title: lazily translated; home: name of the list's URL; names: prefix of the four URLs.

    importer: request -> Importer
    """

    title: Any
    list_title: Any
    home: str
    names: str
    importer: Callable[[HttpRequest], imports.Importer]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Read a workbook and say what it would do."""
        form = FileForm(typed(request), request.FILES if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            if file.size > imports.FILE_MB << 20:
                form.add_error(
                    "file", _("文件超过 {most} MB。请拆分后分次导入。").format(most=imports.FILE_MB)
                )
            else:
                data, importer = file.read(), self.importer(request)
                report = attempt(
                    form,
                    lambda: imports.dry_run(importer, data, file.name),
                    dict.fromkeys(_FILE_CODES, "file"),
                )
                if report:
                    draft = drafts.keep(data, file.name, request.actor.user_id)
                    return self._report(request, report, draft, file.name)
        return form_page(request, form, "places/sheet_upload.html", self._names())

    def commit(self, request: HttpRequest, draft: uuid.UUID) -> HttpResponse:
        """Write what the dry run said."""
        data, name = drafts.read(draft, request.actor.user_id)
        importer = self.importer(request)
        try:
            report = imports.run(importer, data, name)
        except RuleError as error:
            if error.code != "import-errors":
                raise
            # Somebody changed something since the dry run: say what is wrong now.
            return self._report(request, imports.dry_run(importer, data, name), draft, name)
        drafts.drop(draft)
        return self._report(request, report, draft, name)

    def errors(self, request: HttpRequest, draft: uuid.UUID) -> HttpResponseBase:
        """The same workbook, faulty cells coloured."""
        data, name = drafts.read(draft, request.actor.user_id)
        importer = self.importer(request)
        return imports.errors_workbook(importer.sheet, imports.dry_run(importer, data, name))

    def _report(
        self, request: HttpRequest, report: imports.Report, draft: uuid.UUID, name: str
    ) -> HttpResponse:
        context = {
            **self._names(),
            "report": report,
            "shown": report.errors[: imports.MOST_ERRORS],
            "changes": [plan for plan in report.plans if plan.verdict != "same"][:MOST_SHOWN],
            "draft": draft,
            "name": name,
            "errors_url": reverse(f"{self.names}_errors", args=[draft]),
            "commit_url": reverse(f"{self.names}_commit", args=[draft]),
        }
        return render(request, "places/sheet_report.html", context, status=422 if report.errors else 200)

    def _names(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "list_title": self.list_title,
            "home_url": reverse(self.home),
            "sheet_url": reverse(f"{self.names.removesuffix('_import')}_sheet"),
            "upload_url": reverse(self.names),
        }

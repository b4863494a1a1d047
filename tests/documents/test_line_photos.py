"""A photo taken at a line of a check list stands wherever its finding is told of."""

from datetime import timedelta
from uuid import uuid4

from tests.conftest import City
from tests.inspections.lists_made import said, visit
from tests.pictures import photo
from weicheng.assessments.sheets import _first_photos
from weicheng.documents.bulletin_facts import gather
from weicheng.documents.notice_facts import facts_of
from weicheng.evidence.actions import attach
from weicheng.inspections.answers import record_answer
from weicheng.inspections.models import Finding
from weicheng.rules.figures import Period


def test_it_stands_in_the_bulletin_on_the_notice_and_beside_the_line_of_a_sheet(city: City):
    lin, one = city.actor("Lin"), visit(city)
    draft = said("2", "fail")
    record_answer(one.uid, draft, by=lin, at=city.now)
    taken = attach(
        uid=uuid4(), owner_kind="answer", owner_uid=draft.uid, purpose="before", data=photo(), filename="a.jpg",
        by=lin, at=city.now,
    ).attachment  # fmt: skip
    finding = Finding.objects.select_related("case").get()
    later = city.now + timedelta(days=1)

    assert len(gather(area="320311", period=Period.month("2026-10"), as_of=later).photos) == 1
    assert len(facts_of([finding.case], reader=city.actor("Qian"), at=later)[finding.uid].photos) == 1
    assert _first_photos([finding.uid], city.actor("Qian"))[finding.uid].attachment == taken

"""The beats of inspection (日查、周巡、月评) are kinds of rounds, and what is found on them counts alike."""

import pytest

from tests.inspections.test_rounds import begun, drawn
from weicheng.inspections.models import RoundKind, Visit
from weicheng.standards import editions


@pytest.mark.parametrize("kind", [RoundKind.DAILY, RoundKind.WEEKLY, RoundKind.MONTHLY])
def test_a_visit_is_of_the_beat_of_its_round_and_is_found_by_it(city, kind):
    visit = begun(city, drawn(city, kind=kind.value))
    assert visit.kind == kind
    client = city.client("Qian")
    assert visit.number in client.get(f"/visits/?kind={kind.value}").content.decode()
    other = RoundKind.LEADER.value
    assert visit.number not in client.get(f"/visits/?kind={other}").content.decode()
    assert Visit.objects.visible_to(city.actor("Ne")).count() == 0


def test_the_scheme_of_the_program_counts_every_beat(city):
    scheme = editions.scheme("monthly", "320311", city.now.date())
    patrols = next(source for source in scheme.body.sources if source.key == "routine")
    assert {RoundKind.DAILY, RoundKind.WEEKLY, RoundKind.MONTHLY} <= set(patrols.rounds)

"""The least a server of this kind can do: read JSON, insert one row, answer.

No token, no rule, no history, no ORM; the same server, middleware, database settings and durability. What a
finding costs beyond this is what we add.
"""

import json

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

TABLE = {
    "sqlite": "CREATE TABLE bench_bare (id integer PRIMARY KEY, uid char(32) NOT NULL, area varchar(15) NOT NULL, "
    "note text NOT NULL)",
    "postgresql": "CREATE TABLE bench_bare (id bigserial PRIMARY KEY, uid uuid NOT NULL, area varchar(15) NOT NULL, "
    "note text NOT NULL)",
}


def make_table() -> None:
    """Make the table of the bare endpoint; it is no model, so that no migration of ours knows it."""
    with connection.cursor() as cursor:
        cursor.execute(TABLE[connection.vendor])


@csrf_exempt
def insert(request: HttpRequest) -> JsonResponse:
    """Insert one row."""
    given = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bench_bare (uid, area, note) VALUES (%s, %s, %s)",
            [given["uid"], given["area"], given["note"]],
        )
    return JsonResponse({"uid": given["uid"]}, status=201)

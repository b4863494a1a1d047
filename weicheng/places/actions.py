"""Every verb of places and people, under one roof; each lives beside its own subject."""

from weicheng.places.area_verbs import (
    close_area,
    create_grids,
    init_areas,
    merge_area,
    move_area,
    open_area,
    rename_area,
)
from weicheng.places.people_verbs import (
    Ended,
    activate_user,
    change_password,
    change_user,
    choose_post,
    create_user,
    deactivate_user,
    end_post,
    give_post,
    issue_token,
    reset_password,
    revoke_token,
)
from weicheng.places.sign_in import end_others, sign_in, sign_out
from weicheng.places.unit_verbs import (
    Point,
    UnitFields,
    change_unit,
    close_unit,
    create_unit,
    merge_units,
    read_contact,
)
from weicheng.places.unit_verbs import canonical_of as canonical

__all__ = [
    "Ended",
    "Point",
    "UnitFields",
    "activate_user",
    "canonical",
    "change_password",
    "change_unit",
    "change_user",
    "choose_post",
    "close_area",
    "close_unit",
    "create_grids",
    "create_unit",
    "create_user",
    "deactivate_user",
    "end_others",
    "end_post",
    "give_post",
    "init_areas",
    "issue_token",
    "merge_area",
    "merge_units",
    "move_area",
    "open_area",
    "read_contact",
    "rename_area",
    "reset_password",
    "revoke_token",
    "sign_in",
    "sign_out",
]

"""Every operation of the OpenAPI document: what it needs, on which unit, and how it is asked.

A new operation gets a line here; `test_every_operation_is_here` names those that have none. All of
them are after what belongs to unit A1. `{unit}` and the like, in paths, bodies and filters, stand
for a thing of that unit; `{above}` is the unit above, `{new}` a code that nothing has.
"""

from typing import Any, Literal, NamedTuple

from tests.security.actors import MAY, READ

Json = dict[str, Any]
On = Literal[
    "unit", "above", "root", "institution", "somewhere", "member", "operator", "anyone", "public"
]


class Operation(NamedTuple):
    """What is needed for an operation, and what it answers."""

    on: On
    """Where the permissions are needed: on the `unit` of the target, or the one `above` it; on the
    `root`, which is not there for whoever may not see it; on the `institution` as a whole, which
    all its people know; `somewhere` in it, for what is shown as far as that goes; nowhere for a
    `member` of the institution, who gets what they may see;
    or it is for an `operator`, for `anyone` with a token, for the `public`."""
    needs: tuple[str, ...] = (READ,)
    allowed: int = 200
    """The status for whoever may; 412 where they send a version that is not there, so that nothing
    changes: only who may learns that the version is stale."""
    unseen: int = 404
    """The status for whom the unit is not there; 422 where the body alone refers to it."""
    refused: int = 403
    """The status for who sees it, but may not."""
    elsewhere: int = 404
    """The status for people of another institution."""
    body: Json | None = None
    file: str | None = None
    """What is sent in place of a body: CSV."""
    query: Json = {}  # noqa: RUF012  never changed
    filters: Json = {}  # noqa: RUF012  never changed
    """Parameters that refer to something, each tried by itself."""
    seen_with: str = READ
    """The permission with which the thing is seen."""
    fresh: str = ""
    """What is made anew for whoever may: it is used up, or can be done once."""
    claims: tuple[str, ...] = ()
    """Names in the path that the operation creates: a code is taken or not, for all to see."""


def _change(*needs: str, on: On = "unit", body: Json | None = None) -> Operation:
    return Operation(on, needs, 412, body={"reason": "Why"} if body is None else body)


def _remove(*needs: str, on: On = "unit") -> Operation:
    return Operation(on, needs, 412)


def _create(needs: str, body: Json, **more: Any) -> Operation:
    return Operation("unit", (needs,), 201, body=body, **more)


_SPAN = {"from": "2022-01-01", "level": "milestone"}
_PARTS: dict[str, tuple[str, Json]] = {
    "rollup": ("get_{}_rollup", {}),
    "children": ("get_{}_rollup_children", {"sort": "-weight"}),
    "s-curve.svg": ("draw_{}_s_curve", {"width": 320}),
    "children.svg": ("draw_{}_rollup_children", {"sort": "-weight", "language": "en"}),
    "badge.svg": ("draw_{}_badge", {"theme": "dark"}),
    "areas": ("get_{}_rollup_areas", {}),
    "s-curve": ("get_{}_s_curve", {}),
    "explain": ("get_{}_explanation", {}),
    "changes": ("get_{}_changes", _SPAN),
    "by": ("get_{}_groups", {"dimension": "owner"}),
    "attention": ("get_{}_attention", {}),
}
_PEOPLE_OF_A1 = tuple(sorted(MAY["reporter"]))
"""What the people of the targets hold there; who acts on them must hold as much."""
_MAY_CALL = ("webhooks:change", "events:read")
_NAMES = {"id": "Baru", "en": "New"}
_DECREE = {"number": "1/2022", "issued_on": "2022-01-17", "signer": "New", "title": "New"}
_INITIATIVE = {
    "title": "New", "unit": "{unit}", "year": 2022,
    "owners": [{"person": "{person}", "role": "accountable"}],
    "stages": [{"stage": "{stage}", "relation": "runs_during"}],
}  # fmt: skip

_OF_INITIATIVES = {
    "unit": "{unit}", "owner": "{person}", "decree": "{decree}", "stage": "{stage}",
}  # fmt: skip
_OF_STAGES = {"unit": "{unit}", "stage": "{stage}"}
_REPORT = {
    "percent_complete": 40, "note": "New", "resubmits": "{returned}",
    "evidence": [{"title": "New", "file": "{file}"}],
}  # fmt: skip
_ITEM = {"initiative": "{initiative}", "milestone": 1, **_REPORT}

TABLE: dict[str, Operation] = {
    **{name.format("unit"): Operation("unit", query=query) for name, query in _PARTS.values()},
    **{
        name.format("institution"): Operation("root", query=query)
        for name, query in _PARTS.values()
    },
    "get_portfolio_rollup": Operation("anyone"),
    "list_institution_rollups": Operation("anyone"),
    # Initiatives and their plans
    "create_initiative": _create(
        "initiatives:change",
        {"code": "{new}", **_INITIATIVE, "status": "active", "decree": "{decree}"}, unseen=422,
    ),
    "list_initiatives": Operation("member", filters=_OF_INITIATIVES),
    "get_initiative": Operation("unit"),
    "change_initiative": _change(
        "initiatives:change",
        body={
            "unit": "{unit}", "owners": _INITIATIVE["owners"], "decree": "{decree}",
            "stages": _INITIATIVE["stages"],
            "reason": "Why",
        },
    ),
    "replace_initiative": Operation(
        "unit", ("initiatives:change",), 412, 422,
        body={"code": "{initiative}", **_INITIATIVE, "decree": "{decree}"},
        claims=("initiative",),
    ),
    "delete_initiative": _remove("initiatives:change"),
    "get_initiative_explanation": Operation("unit"),
    "create_publication": _create("initiatives:change", {"title": "New"}),
    "list_publications": Operation("unit"),
    "get_publication": Operation("unit"),
    "change_publication": _change("initiatives:change"),
    "delete_publication": _remove("initiatives:change"),
    "create_milestone": _create(
        "milestones:change", {"title": "New", "due_on": "2022-06-30", "reason": "Why"}
    ),
    "list_milestones": Operation("unit"),
    # Templates are known to all, and kept by who may change all initiatives
    "create_template": Operation(
        "institution", ("initiatives:change",), 201, body={"code": "{new}", "title": "New"}
    ),
    "list_templates": Operation("member"),
    "get_template": Operation("member"),
    "change_template": _change("initiatives:change", on="institution"),
    "delete_template": _remove("initiatives:change", on="institution"),
    "copy_template": _create(
        "initiatives:change",
        {
            "units": ["{unit}"], "below": "{unit}", "kind": "none", "year": 2022,
            "code": "{new}-{{unit}}", "owners": _INITIATIVE["owners"],
        },
        unseen=422,
    ),
    # Dependencies: of the other side the code alone is told, where one does not see it
    "create_dependency": _create(
        "milestones:change",
        {"milestone": 1, "predecessor": "{predecessor}"}, fresh="predecessor",
    ),
    "list_initiative_dependencies": Operation("unit"),
    "get_dependency": Operation("unit"),
    "delete_dependency": Operation("unit", ("milestones:change",), 204, fresh="dependency"),
    "list_dependencies": Operation("member", filters={"unit": "{unit}"}),
    # Baselines
    "take_baseline": _create("milestones:change", {"reason": "Why"}),
    "list_baselines": Operation("unit"),
    "get_baseline": Operation("unit"),
    "compare_baseline": Operation("unit"),
    "list_institution_milestones": Operation(
        "member", filters={"unit": "{unit}", "owner": "{person}"}
    ),
    "get_milestone": Operation("unit"),
    "change_milestone": _change("milestones:change"),
    "delete_milestone": _remove("milestones:change"),
    # Choosing: criteria and decrees are the institution's, and all of it reads them
    "create_criterion": Operation(
        "institution", ("institution:change",), 201, body={"code": "{new}", "name": _NAMES}
    ),
    "list_criteria": Operation("member"),
    "get_criterion": Operation("member"),
    "change_criterion": _change("institution:change", on="institution"),
    "delete_criterion": _remove("institution:change", on="institution"),
    "create_decree": Operation(
        "institution", ("decrees:change",), 201, body={"code": "{new}", **_DECREE}
    ),
    "designate_initiatives": Operation(
        "unit", ("initiatives:change",), 200, 422, 422,
        body={
            "atomic": True,
            "items": [{"initiative": "{initiative}", "owners": _INITIATIVE["owners"], "reason": "Why"}],
        },
    ),
    "list_decrees": Operation("member"),
    "get_decree": Operation("member"),
    "change_decree": _change("decrees:change", on="institution"),
    "delete_decree": _remove("decrees:change", on="institution"),
    "list_candidates": Operation("member", filters={"unit": "{unit}", "owner": "{person}"}),
    "get_scores": Operation("unit"),
    "put_score": Operation(
        "unit", ("initiatives:score",), body={"score": 3, "note": "New"}, fresh="candidate"
    ),
    "withdraw_score": Operation("unit", ("initiatives:score",), 409),
    # The reform team: its roles are the institution's, appointments are of units
    "create_team_role": Operation(
        "institution", ("institution:change",), 201, body={"code": "{new}", "name": _NAMES}
    ),
    "list_team_roles": Operation("member"),
    "get_team_role": Operation("member"),
    "change_team_role": _change("institution:change", on="institution"),
    "delete_team_role": _remove("institution:change", on="institution"),
    "create_appointment": _create(
        "people:change",
        {
            "person": "{person}", "role": "{role}", "unit": "{unit}", "decree": "{decree}",
            "year": 2022,
        },
        unseen=422, fresh="person",
    ),
    "list_appointments": Operation(
        "member",
        filters={"person": "{person}", "role": "{role}", "unit": "{unit}", "decree": "{decree}"},
    ),
    "renew_appointments": Operation(
        "unit", ("people:change",), unseen=422,
        body={"from_year": 2022, "to_year": 2023, "unit": "{unit}", "decree": "{decree}"},
    ),
    "get_appointment": Operation("unit"),
    "change_appointment": _change("people:change", body={"decree": "{decree}", "reason": "Why"}),
    "delete_appointment": _remove("people:change"),
    "get_person_load": Operation("unit"),
    # Spreadsheets: a row is refused by itself, so who may change anything may send one; what
    # becomes of it is for them, and for admins of the whole
    "download_import_template": Operation("member", filters={"unit": "{unit}"}),
    "submit_import": Operation(
        "somewhere", ("initiatives:change",), 201,
        file="code,title,unit,year\n{new},New,{unit},2022\n", query={"mode": "check"},
    ),
    "list_imports": Operation("member"),
    "get_import": Operation("institution", ("institution:change",), refused=404),
    "download_annotated_import": Operation(
        "institution", ("institution:change",), refused=404
    ),
    "cancel_import": Operation("institution", ("institution:change",), 409, refused=404),
    # Files are seen with the report that names them
    "upload_file": Operation(
        "somewhere", ("updates:report",), 201, file="%PDF-1.7 {new}\n", query={"name": "New"}
    ),
    "get_file": Operation("unit"),
    "download_file": Operation("unit"),
    # Progress and judgement
    "report_progress": _create("updates:report", _REPORT, fresh="returned"),
    "list_updates": Operation("unit"),
    "get_update": Operation("unit"),
    "verify_update": Operation("unit", ("updates:verify",), body={"verdict": "verified"}),
    "list_verifications": Operation(
        "member",
        filters={"initiative": "{initiative}", "unit": "{unit}", "owner": "{person}"},
    ),
    "list_institution_updates": Operation(
        "member", filters={"initiative": "{initiative}", "unit": "{unit}"}
    ),
    "report_batch": Operation(
        "unit", ("updates:report",), 201, 422, 422, body={"atomic": True, "items": [_ITEM]},
        fresh="returned",
    ),
    "rate_initiative": _create("ratings:judge", {"rating": "amber", "reason": "New"}),
    "list_initiative_ratings": Operation("unit"),
    "get_initiative_rating": Operation("unit"),
    "rate_unit": _create("ratings:judge", {"rating": "amber", "reason": "New"}),
    "list_unit_ratings": Operation("unit"),
    # Closing verdicts: their words are shared by all, given by whoever verifies
    "create_verdict": Operation("operator", allowed=201, body={"code": "{new}", "name": _NAMES}),
    "list_verdicts": Operation("anyone"),
    "get_verdict": Operation("anyone"),
    "change_verdict": _change(on="operator"),
    "give_verdict": _create(
        "verdicts:give", {"verdict": "met-fast", "note": "New", "decree": "{decree}"},
        fresh="closed",
    ),
    "list_initiative_verdicts": Operation("unit"),
    "get_initiative_verdict": Operation("unit"),
    "get_unit_rating": Operation("unit"),
    # Indicators, of units and national; assessments, which all people of the institution know
    "create_indicator": _create(
        "indicators:change",
        {
            "code": "{new}", "name": {"id": "Baru", "en": "New"}, "unit": "{unit}",
            "unit_of_measure": "persen",
        },
        unseen=422,
    ),
    "list_indicators": Operation("member", filters={"unit": "{unit}"}),
    "get_indicator": Operation("unit"),
    "change_indicator": _change("indicators:change"),
    "delete_indicator": _remove("indicators:change"),
    "list_indicator_values": Operation("unit"),
    "set_indicator_value": Operation(
        "unit", ("indicators:change",), 412,
        body={"starts_on": "2022-01-01", "ends_on": "2022-03-31"},
    ),
    "list_national_indicators": Operation("anyone"),
    "get_national_indicator": Operation("anyone"),
    "list_national_indicator_values": Operation("anyone"),
    "create_national_indicator": Operation(
        "operator", allowed=201,
        body={"code": "{new}", "name": {"id": "Baru", "en": "New"}, "unit_of_measure": "persen"},
    ),
    "change_national_indicator": _change(on="operator"),
    "delete_national_indicator": _remove(on="operator"),
    "set_national_indicator_value": Operation(
        "operator", body={"starts_on": "2022-01-01", "ends_on": "2022-03-31"}, allowed=412,
    ),
    "list_instruments": Operation("anyone"),
    "get_instrument": Operation("anyone"),
    "create_instrument": Operation(
        "operator", allowed=201, body={"code": "{new}", "name": {"id": "Baru", "en": "New"}}
    ),
    "change_instrument": _change(on="operator"),
    "record_assessment": Operation(
        "institution", ("assessments:change",), 201, fresh="instrument",
        body={"instrument": "{instrument}", "score_year": 2021, "assessor": "self", "score": 70},
    ),
    "list_assessments": Operation("member"),
    "get_assessment": Operation("member"),
    "change_assessment": _change("assessments:change", on="institution"),
    "delete_assessment": _remove("assessments:change", on="institution"),
    "get_index": Operation("member"),
    "get_initiative_lift": Operation("unit"),
    # Frozen reports
    "freeze_report": _create(
        "reports:freeze", {"title": "New", "unit": "{unit}", "supersedes": "{report}"},
        unseen=422, fresh="report",
    ),
    "list_reports": Operation("member", filters={"unit": "{unit}"}),
    "get_report": Operation("unit"),
    "download_report": Operation("unit"),
    "download_report_spreadsheet": Operation("unit"),
    "get_report_difference": Operation("unit", filters={"with": "{report}"}),
    # Reporting periods: here there is one to come, which overlaps with new ones and cannot be closed
    "create_period": Operation(
        "institution", ("periods:change",), 409,
        body={
            "code": "{new}", "name": {"id": "New", "en": "New"}, "year": 2190,
            "starts_on": "2190-01-01", "ends_on": "2190-03-31", "opens_on": "2190-03-25",
            "closes_on": "2190-04-10",
        },
    ),
    "create_standard_periods": Operation(
        "institution", ("periods:change",), 409, body={"year": 2190}
    ),
    "list_periods": Operation("member"),
    "get_period": Operation("member"),
    "change_period": _change("periods:change", on="institution"),
    "delete_period": _remove("periods:change", on="institution"),
    "close_period": Operation("institution", ("periods:change",), 409, body={}),
    "reopen_period": Operation(
        "institution", ("periods:change",), 409, body={"reason": "Why", "until": "2199-12-31"}
    ),
    "get_period_standing": Operation("root", filters={"unit": "{unit}"}),
    "list_missing_reports": Operation("member", filters={"unit": "{unit}", "owner": "{person}"}),
    # Obstacles
    "create_obstacle": _create(
        "obstacles:report", {"title": "New", "initiative": "{initiative}", "owner": "{person}"},
        unseen=422,
    ),
    "list_obstacles": Operation(
        "member",
        filters={
            "unit": "{unit}", "initiative": "{initiative}", "owner": "{person}",
            "escalated_to": "{unit}",
        },
    ),
    "get_obstacle": Operation("unit"),
    "change_obstacle": _change(
        "obstacles:report", body={"owner": "{person}", "reason": "Why"}
    ),
    "delete_obstacle": _remove("obstacles:decide"),
    "escalate_obstacle": Operation(
        "unit", ("obstacles:report",), body={"reason": "Why"}, fresh="obstacle"
    ),
    "decide_obstacle": Operation(
        "unit", ("obstacles:decide",), body={"decision": "New"}, fresh="obstacle"
    ),
    "create_follow_up": _create(
        "obstacles:report", {"action": "New", "owner": "{person}"}
    ),
    "list_follow_ups": Operation("unit"),
    "list_institution_follow_ups": Operation(
        "member", filters={"unit": "{unit}", "initiative": "{initiative}", "owner": "{person}"}
    ),
    "get_follow_up": Operation("unit"),
    "change_follow_up": _change(
        "obstacles:report", body={"owner": "{person}", "reason": "Why"}
    ),
    # Exports
    "export_initiatives": Operation("member", filters=_OF_INITIATIVES),
    "export_milestones": Operation("member", filters={"unit": "{unit}", "owner": "{person}"}),
    "export_updates": Operation(
        "member", filters={"initiative": "{initiative}", "unit": "{unit}"}
    ),
    "export_missing_reports": Operation(
        "member", query={"period": "2190-B03"}, filters={"unit": "{unit}", "owner": "{person}"}
    ),
    "export_rollups": Operation("root", filters={"unit": "{unit}"}),
    "export_archive": Operation("institution", ("institution:export",)),
    # Units and people
    "create_unit": _create(
        "units:change", {"code": "{new}", "name": "New", "parent": "{unit}"}, unseen=422
    ),
    "list_units": Operation("member", filters={"parent": "{unit}", "under": "{unit}"}),
    "get_unit": Operation("unit"),
    "change_unit": _change("units:change"),
    "delete_unit": _remove("units:change", on="above"),
    "move_unit": _change("units:change", on="above", body={"parent": "{above}"}),
    "merge_unit": _change("units:change", on="above", body={"into": "{above}"}),
    "create_person": _create(
        "people:change", {"code": "{new}", "name": "New", "unit": "{unit}"}, unseen=422
    ),
    "list_people": Operation("member", filters={"unit": "{unit}"}),
    "get_person": Operation("unit"),
    "change_person": _change(
        "people:change", *_PEOPLE_OF_A1, body={"unit": "{unit}", "reason": "Why"}
    ),
    "delete_person": _remove("people:change"),
    # What was deleted: who may delete it sees it, and may restore it
    "list_deletions": Operation("member", filters={"unit": "{unit}"}),
    "get_deletion": Operation(
        "unit", ("initiatives:change",), seen_with="initiatives:change"
    ),
    "restore_deletion": Operation(
        "unit", ("initiatives:change",), 201, body={"reason": "Why"},
        seen_with="initiatives:change", fresh="deletion",
    ),
    # Grants and tokens
    "create_grant": _create(
        "grants:change", {"person": "{person}", "role": "viewer", "unit": "{unit}"},
        unseen=422, fresh="person",
    ),
    "list_grants": Operation("member", filters={"person": "{person}", "unit": "{unit}"}),
    "get_grant": Operation("unit", ("grants:read",), seen_with="grants:read"),
    "revoke_grant": Operation(
        "unit", ("grants:change",), 204, seen_with="grants:read", fresh="grant"
    ),
    "create_token": Operation(
        "unit", ("tokens:change", *_PEOPLE_OF_A1), 201, 422,
        body={"person": "{person}", "name": "New"},
    ),
    "list_tokens": Operation("member"),
    "get_token": Operation("unit", ("tokens:read",), seen_with="tokens:read"),
    "revoke_token": Operation(
        "unit", ("tokens:change",), 204, seen_with="tokens:read", fresh="token"
    ),
    "rotate_token": Operation(
        "unit", ("tokens:change", *_PEOPLE_OF_A1), seen_with="tokens:read"
    ),
    # Webhooks show what the event feed shows
    "create_webhook": Operation(
        "unit", _MAY_CALL, 201, 422, body={"url": "https://hooks.invalid/", "unit": "{unit}"}
    ),
    "list_webhooks": Operation("member", filters={"unit": "{unit}"}),
    "get_webhook": Operation("unit", ("webhooks:read",), seen_with="webhooks:read"),
    "change_webhook": Operation(
        "unit", _MAY_CALL, 412, body={"unit": "{unit}", "reason": "Why"}, seen_with="webhooks:read"
    ),
    "delete_webhook": Operation("unit", _MAY_CALL, 412, seen_with="webhooks:read"),
    "create_webhook_secret": Operation(
        "unit", _MAY_CALL, 201, body={}, seen_with="webhooks:read", fresh="webhook"
    ),
    "remove_webhook_secret": Operation(
        "unit", _MAY_CALL, 204, seen_with="webhooks:read", fresh="webhook"
    ),
    "test_webhook": Operation("unit", _MAY_CALL, 201, seen_with="webhooks:read"),
    "replay_webhook": Operation("unit", _MAY_CALL, body={"after": 0}, seen_with="webhooks:read"),
    "list_deliveries": Operation("unit", ("webhooks:read",), seen_with="webhooks:read"),
    "get_delivery": Operation("unit", ("webhooks:read",), seen_with="webhooks:read"),
    "redeliver": Operation("unit", _MAY_CALL, 201, seen_with="webhooks:read"),
    # Calendars: like tokens, they belong to whoever made them
    "create_calendar": _create(
        "plans:read",
        {"name": "New", "unit": "{unit}", "owner": "{person}", "initiative": "{initiative}"},
        unseen=422,
    ),
    "list_calendars": Operation("member"),
    "get_calendar": Operation("unit", ("tokens:read",), seen_with="tokens:read"),
    "revoke_calendar": Operation(
        "unit", ("tokens:change",), 204, seen_with="tokens:read", fresh="calendar"
    ),
    "read_calendar": Operation(
        "member", filters={"unit": "{unit}", "owner": "{person}", "initiative": "{initiative}"}
    ),
    # Stages are the institution's: all its people know them
    "create_stage": Operation(
        "institution", ("institution:change",), 201,
        body={
            "code": "{new}", "calendar": "new", "name": {"id": "Baru", "en": "New"},
            "starts_on": "2022-01-01", "ends_on": "2022-12-31",
        },
    ),
    "add_standard_stages": Operation(
        "institution", ("institution:change",), body={"calendar": "pemilu-2024"}
    ),
    "list_stages": Operation("member"),
    "get_stage": Operation("member"),
    "change_stage": _change("institution:change", on="institution"),
    "delete_stage": _remove("institution:change", on="institution"),
    "list_stage_conflicts": Operation("member", filters=_OF_STAGES),
    "list_stage_loads": Operation("member", filters=_OF_STAGES),
    # Institutions and what stands above them
    "list_institutions": Operation("anyone"),
    "get_institution": Operation("member"),
    "change_institution": _change("institution:change", on="institution"),
    "create_institution": Operation(
        "operator", allowed=201, body={"code": "{new}", "name": "New"}
    ),
    "list_events": Operation("somewhere", ("events:read",), filters={"unit": "{unit}"}),
    "export_events": Operation("somewhere", ("events:read",), filters={"unit": "{unit}"}),
    "stream_events": Operation(
        "somewhere", ("events:read",), filters={"unit": "{unit}"},
        query={"after": 0, "until": "2022-01-01T00:00:00Z"},  # else it would not end
    ),
    "list_catalogue_events": Operation("operator"),
    "list_schemes": Operation("anyone"),
    "get_scheme": Operation("anyone"),
    "list_areas": Operation("anyone"),
    "get_area": Operation("anyone"),
    "create_scheme": Operation(
        "operator", allowed=201,
        body={"code": "{new}", "name": {"id": "Baru", "en": "New"}, "from_year": 2022},
    ),
    "change_scheme": _change(on="operator"),
    "add_area": Operation(
        "operator", allowed=201, body={"code": "{new}", "name": {"id": "Baru", "en": "New"}}
    ),
    "change_area": _change(on="operator"),
    "list_purposes": Operation("anyone"),
    "get_purpose": Operation("anyone"),
    "add_purpose": Operation(
        "operator", allowed=201,
        body={"code": "{new}", "kind": "outcome", "name": {"id": "Baru", "en": "New"}},
    ),
    "change_purpose": _change(on="operator"),
    # Programmes: of the institutions in them; the one that leads changes them
    "list_programmes": Operation("anyone"),
    "get_programme": Operation("member"),
    "create_programme": Operation(
        "institution", ("institution:change",), 201, elsewhere=422,
        body={
            "code": "{new}", "name": {"id": "Baru", "en": "New"}, "lead": "{institution}",
            "carriers": ["{institution}"], "from_year": 2022,
        },
    ),
    "change_programme": _change("institution:change", on="institution"),
    "get_programme_rollup": Operation("member"),
    "list_programme_rollups": Operation("member"),
    # In this institution nothing is public: for nobody there is anything, whatever they hold
    "get_public_institution": Operation("public", allowed=404),
    "list_public_initiatives": Operation("public", allowed=404, filters={"unit": "{unit}"}),
    "get_public_initiative": Operation("public", allowed=404),
    "read_public_atom_feed": Operation("public", allowed=404),
    "read_public_json_feed": Operation("public", allowed=404),
    "draw_public_s_curve": Operation("public", allowed=404),
    "draw_public_unit_s_curve": Operation("public", allowed=404),
    "draw_public_badge": Operation("public", allowed=404),
    "draw_public_unit_badge": Operation("public", allowed=404),
    "get_me": Operation("anyone"),
    "live": Operation("public"),
    "ready": Operation("public"),
}  # fmt: skip

"""What the trail tells of rows: every column is told or left out on purpose, and no secret is told."""

from app.models import Base
from app.models.base import table
from app.services.nouns import NOUNS

STAMPS = {"institution_id", "id", "code_key", "created_at", "updated_at", "version"}
DERIVED = {
    "share", "percent", "verified", "done_on", "reports", "milestones", "done", "earned",
    "next_due_on", "planned", "planned_from", "planned_until", "last_done_on", "reported_months",
}  # fmt: skip
LEFT_OUT = {
    "unit": STAMPS | {"judged_at"},
    "initiative": STAMPS | DERIVED | {"judged_at", "last_reported_at"},
    "milestone": STAMPS | DERIVED | {"initiative_id", "first_baseline_due_on"},
    "institution": STAMPS | {"windows"},
    "template": STAMPS,
    # Which milestones it is about stands in `data`.
    "dependency": STAMPS
    | {"predecessor_milestone_id", "successor_milestone_id", "created_by"},
    "obstacle": STAMPS
    | {
        "initiative_id", "unit_id", "escalated_by", "escalated_at", "asked_by", "asked_at",
        "decided_by", "decided_at", "raised_by",
    },
    "follow_up": STAMPS | {"obstacle_id"},
    "reporting_period": STAMPS
    | {
        "reminded_on", "acts_on", "closed_by", "report_id", "counts", "reopened_at", "reopened_by",
        "reopening_reason",
    },
    "person": STAMPS | {"email_key"},
    "scheme": STAMPS,
    "reform_area": STAMPS,
    "scheme_area": {"scheme_id", "area_id"},
    "criterion": STAMPS,
    "decree": STAMPS,
    "team_role": STAMPS,
    "appointment": STAMPS,
    "purpose": STAMPS,
    "scheme_purpose": {"scheme_id", "purpose_id"},
    # Its level, lead and carriers are told by their codes.
    "instrument": STAMPS,
    "closing_verdict": STAMPS,
    "instrument_component": STAMPS | {"instrument_id"},
    # The event's subject says under which instrument.
    "assessment": STAMPS | {"instrument_id"},
    "indicator": STAMPS,
    "indicator_value": STAMPS | {"indicator_id", "period_key"},
    "programme": STAMPS | {"level_id"},
    "stage": STAMPS,
    "publication": STAMPS | {"initiative_id"},
    "api_token": STAMPS | {"digest", "last_used_at"},
    "role_grant": STAMPS | {"granted_by", "granted_at"},
    # Its address may hold a secret of the receiver's, so the event names the host alone.
    "webhook": STAMPS
    | {
        "url", "disabled_reason", "disabled_at", "responsible_id", "responsible", "position",
        "failed_attempts", "due_at", "leased_until", "fence",
    },
    # Reports are only added: what they say is in `data` and in `percent_complete`.
    "progress_update": STAMPS
    | {
        "initiative_id", "milestone_id", "sequence", "percent", "previous", "effective_on",
        "late", "note",
        "evidence", "source", "external_id", "reported_by", "reporter_id", "reported_at",
        "verifications", "resubmits_id",
    },
    "frozen_report": STAMPS
    | {"unit_id", "digest", "frozen_at", "frozen_by", "supersedes_id", "content"},
}  # fmt: skip
NOT_TOLD = {
    "event", "institution_clock", "unit_closure", "unit_merger", "rollup_total", "rollup_period",
    "webhook_secret", "webhook_delivery", "health_watch", "unit_health",
    "service_secret", "schema_floor", "rating", "deletion", "idempotency_key", "calendar_feed", "import", "browser_session",
    "file_content", "uploaded_file", "evidence_file",
    # Told as lists of the initiative, or of the template.
    "initiative_area", "initiative_owner", "initiative_tag", "initiative_stage", "template_area",
    # Told as fields of the initiative, and by the verb.
    "designation", "score", "judgement",
    # Its number is told of the initiative, its dates of the milestones.
    "baseline",
    "initiative_purpose", "initiative_programme", "programme_part", "initiative_lift", "assessment_score",
}  # fmt: skip


def test_every_column_is_told_or_left_out_on_purpose() -> None:
    for model, noun in NOUNS.items():
        of = table(model)
        assert noun.columns.keys() <= set(of.columns.keys())
        forgotten = set(of.columns.keys()) - noun.columns.keys() - LEFT_OUT[of.name]
        assert not forgotten, f"{of.name}: is {forgotten} told by the trail?"


def test_every_table_is_told_or_left_out_on_purpose() -> None:
    told = {table(model).name for model in NOUNS}
    forgotten = set(Base.metadata.tables) - told - NOT_TOLD
    assert not forgotten, f"is {forgotten} told by the trail?"


def test_no_digest_and_no_secret_is_told() -> None:
    for noun in NOUNS.values():
        assert not noun.columns.keys() & {"digest", "value", "content"}

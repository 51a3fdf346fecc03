"""Who may do what: permissions by name, and roles, which are sets of them."""

from enum import StrEnum


class Permission(StrEnum):
    """What one may be allowed to do, as `nouns:verb`; held on a unit for all below it."""

    ASSESSMENTS_CHANGE = "assessments:change"
    DECREES_CHANGE = "decrees:change"
    EVENTS_READ = "events:read"
    GRANTS_CHANGE = "grants:change"
    GRANTS_READ = "grants:read"
    INDICATORS_CHANGE = "indicators:change"
    INITIATIVES_CHANGE = "initiatives:change"
    INITIATIVES_SCORE = "initiatives:score"
    INSTITUTION_CHANGE = "institution:change"
    INSTITUTION_EXPORT = "institution:export"
    MILESTONES_CHANGE = "milestones:change"
    OBSTACLES_DECIDE = "obstacles:decide"
    OBSTACLES_REPORT = "obstacles:report"
    PEOPLE_CHANGE = "people:change"
    PERIODS_CHANGE = "periods:change"
    PLANS_READ = "plans:read"
    RATINGS_JUDGE = "ratings:judge"
    REPORTS_FREEZE = "reports:freeze"
    TOKENS_CHANGE = "tokens:change"
    TOKENS_READ = "tokens:read"
    UNITS_CHANGE = "units:change"
    UPDATES_REPORT = "updates:report"
    UPDATES_VERIFY = "updates:verify"
    VERDICTS_GIVE = "verdicts:give"
    WEBHOOKS_CHANGE = "webhooks:change"
    WEBHOOKS_READ = "webhooks:read"


class Role(StrEnum):
    """What somebody is in a unit and all below it."""

    VIEWER = "viewer"
    REPORTER = "reporter"
    PLANNER = "planner"
    VERIFIER = "verifier"
    ADMIN = "admin"


_VIEWER = frozenset({Permission.PLANS_READ})
_REPORTER = _VIEWER | {Permission.OBSTACLES_REPORT, Permission.UPDATES_REPORT}
_PLANNER = _REPORTER | {
    Permission.DECREES_CHANGE,
    Permission.INDICATORS_CHANGE,
    Permission.INITIATIVES_CHANGE,
    Permission.INITIATIVES_SCORE,
    Permission.MILESTONES_CHANGE,
    Permission.OBSTACLES_DECIDE,
    Permission.RATINGS_JUDGE,
    Permission.REPORTS_FREEZE,
}
PERMISSIONS = {
    Role.VIEWER: _VIEWER,
    Role.REPORTER: _REPORTER,
    Role.PLANNER: _PLANNER,
    Role.VERIFIER: _VIEWER
    | {
        Permission.ASSESSMENTS_CHANGE,
        Permission.INITIATIVES_SCORE,
        Permission.RATINGS_JUDGE,
        Permission.UPDATES_VERIFY,
        Permission.VERDICTS_GIVE,
    },
    Role.ADMIN: frozenset(Permission),
}
"""What each role allows. Every role reads, so whatever allows anything in a unit shows it."""
WHOLE = frozenset(
    {
        Permission.ASSESSMENTS_CHANGE,
        Permission.DECREES_CHANGE,
        Permission.INSTITUTION_CHANGE,
        Permission.INSTITUTION_EXPORT,
        Permission.PERIODS_CHANGE,
    }
)
"""What is held on the institution as a whole or not at all: below the root it allows nothing."""

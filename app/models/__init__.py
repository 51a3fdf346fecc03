"""All tables, on one floor: whoever imports this package has the whole schema."""

from app.models.base import Base
from app.models.calendars import CalendarFeed
from app.models.deletions import Deletion
from app.models.events import Event
from app.models.frozen_reports import FrozenReport
from app.models.grants import RoleGrant
from app.models.healths import HealthWatch, UnitHealth
from app.models.idempotency import IdempotencyKey
from app.models.imports import Import
from app.models.initiatives import Initiative, InitiativeArea, InitiativeOwner, InitiativeTag
from app.models.institutions import Institution, InstitutionClock
from app.models.milestones import Milestone
from app.models.obstacles import FollowUp, Obstacle
from app.models.people import Person
from app.models.periods import ReportingPeriod
from app.models.ratings import Rating
from app.models.rollups import RollupPeriod, RollupTotal
from app.models.schemes import ReformArea, Scheme, SchemeArea
from app.models.tokens import ApiToken, ServiceSecret
from app.models.units import Unit, UnitClosure, UnitMerger
from app.models.updates import ProgressUpdate
from app.models.webhooks import Webhook, WebhookDelivery, WebhookSecret

__all__ = [
    "ApiToken",
    "Base",
    "CalendarFeed",
    "Deletion",
    "Event",
    "FollowUp",
    "FrozenReport",
    "HealthWatch",
    "IdempotencyKey",
    "Import",
    "Initiative",
    "InitiativeArea",
    "InitiativeOwner",
    "InitiativeTag",
    "Institution",
    "InstitutionClock",
    "Milestone",
    "Obstacle",
    "Person",
    "ProgressUpdate",
    "Rating",
    "ReformArea",
    "ReportingPeriod",
    "RoleGrant",
    "RollupPeriod",
    "RollupTotal",
    "Scheme",
    "SchemeArea",
    "ServiceSecret",
    "Unit",
    "UnitClosure",
    "UnitHealth",
    "UnitMerger",
    "Webhook",
    "WebhookDelivery",
    "WebhookSecret",
]

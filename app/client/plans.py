"""Operations on institutions, units, people, initiatives and milestones."""

from app.client import calls
from app.client.calls import Call, Stretch
from app.client.places import Fields, Filter, Place, name_of, number_of, pages, version_of
from app.client.twins import listing, operation
from app.schemas.initiatives import (
    Initiative,
    InitiativeChanges,
    InitiativeWithPlan,
    NewInitiative,
)
from app.schemas.institutions import Institution, InstitutionChanges, NewInstitution
from app.schemas.milestones import Milestone, MilestoneChanges, NewMilestone
from app.schemas.pages import Page
from app.schemas.people import NewPerson, Person, PersonChanges
from app.schemas.tokens import Me
from app.schemas.units import NewUnit, Unit, UnitChanges


class Plans(Place):
    """What is to be done, where and by whom."""

    @operation
    def me(self) -> Call[Me]:
        """Who you are, and what you may do where."""
        return calls.get(calls.address("me"), Me)

    # Institutions

    @listing
    def institutions(self, /, **paging: Filter) -> Call[Stretch[Institution]]:
        """The institutions that you may see."""
        return pages(calls.address("institutions"), Page[Institution], paging)

    @operation
    def institution(self) -> Call[Institution]:
        """The institution that this client is for."""
        return calls.get(self.at(), Institution)

    @operation
    def create_institution(
        self, new: NewInstitution | Fields, *, key: str | None = None
    ) -> Call[Institution]:
        """Add an institution, with its root unit."""
        return calls.post(calls.address("institutions"), Institution, new, key)

    @operation
    def change_institution(
        self, changes: InstitutionChanges | Fields, *, version: int | None = None
    ) -> Call[Institution]:
        """Change this client's institution."""
        return calls.patch(self.at(), Institution, changes, version)

    # Units

    @listing
    def units(self, /, **filters: Filter) -> Call[Stretch[Unit]]:
        """Units; filters are those of `UnitQuery`."""
        return pages(self.at("units"), Page[Unit], filters)

    @operation
    def unit(self, unit: str) -> Call[Unit]:
        """One unit."""
        return calls.get(self.at("units", unit), Unit)

    @operation
    def create_unit(self, new: NewUnit | Fields, *, key: str | None = None) -> Call[Unit]:
        """Add a unit."""
        return calls.post(self.at("units"), Unit, new, key)

    @operation
    def change_unit(self, unit: Unit | str, changes: UnitChanges | Fields) -> Call[Unit]:
        """Rename, recode, archive or restore a unit."""
        return calls.patch(self.at("units", name_of(unit)), Unit, changes, version_of(unit))

    @operation
    def move_unit(
        self, unit: Unit | str, parent: str, *, reason: str | None = None, key: str | None = None
    ) -> Call[Unit]:
        """Move a unit with all below it under another."""
        path = self.at("units", name_of(unit), "move")
        return calls.post(path, Unit, {"parent": parent, "reason": reason}, key)

    @operation
    def merge_unit(
        self, unit: Unit | str, into: str, *, reason: str | None = None, key: str | None = None
    ) -> Call[Unit]:
        """Merge a unit into another, for good."""
        path = self.at("units", name_of(unit), "merge")
        return calls.post(path, Unit, {"into": into, "reason": reason}, key)

    @operation
    def delete_unit(self, unit: Unit | str, *, reason: str | None = None) -> Call[None]:
        """Delete an empty unit."""
        return calls.delete(self.at("units", name_of(unit)), version_of(unit), reason)

    # People

    @listing
    def people(self, /, **filters: Filter) -> Call[Stretch[Person]]:
        """People; filters are those of `PersonQuery`."""
        return pages(self.at("people"), Page[Person], filters)

    @operation
    def person(self, person: str) -> Call[Person]:
        """One person."""
        return calls.get(self.at("people", person), Person)

    @operation
    def create_person(self, new: NewPerson | Fields, *, key: str | None = None) -> Call[Person]:
        """Add a person."""
        return calls.post(self.at("people"), Person, new, key)

    @operation
    def change_person(self, person: Person | str, changes: PersonChanges | Fields) -> Call[Person]:
        """Change a person."""
        path = self.at("people", name_of(person))
        return calls.patch(path, Person, changes, version_of(person))

    @operation
    def delete_person(self, person: Person | str, *, reason: str | None = None) -> Call[None]:
        """Delete a person who is named nowhere."""
        return calls.delete(self.at("people", name_of(person)), version_of(person), reason)

    # Initiatives

    @listing
    def initiatives(self, /, **filters: Filter) -> Call[Stretch[Initiative]]:
        """Initiatives with their numbers of today; filters are those of `InitiativeQuery`."""
        return pages(self.at("initiatives"), Page[Initiative], filters)

    @operation
    def initiative(self, initiative: str) -> Call[InitiativeWithPlan]:
        """One initiative with its milestones."""
        return calls.get(self.at("initiatives", initiative), InitiativeWithPlan)

    @operation
    def create_initiative(
        self, new: NewInitiative | Fields, *, key: str | None = None
    ) -> Call[InitiativeWithPlan]:
        """Add an initiative, with its milestones if you like."""
        return calls.post(self.at("initiatives"), InitiativeWithPlan, new, key)

    @operation
    def put_initiative(
        self, initiative: Initiative | str, whole: NewInitiative | Fields
    ) -> Call[InitiativeWithPlan]:
        """Create the initiative of this code, or make it what is given."""
        code = initiative if isinstance(initiative, str) else initiative.code
        path = self.at("initiatives", code)
        return calls.put(path, InitiativeWithPlan, whole, version_of(initiative))

    @operation
    def change_initiative(
        self, initiative: Initiative | str, changes: InitiativeChanges | Fields
    ) -> Call[InitiativeWithPlan]:
        """Change what is named of an initiative; None clears."""
        path = self.at("initiatives", name_of(initiative))
        return calls.patch(path, InitiativeWithPlan, changes, version_of(initiative))

    @operation
    def delete_initiative(
        self, initiative: Initiative | str, *, reason: str | None = None
    ) -> Call[None]:
        """Delete an initiative with its milestones and reports; it can be restored for a while."""
        path = self.at("initiatives", name_of(initiative))
        return calls.delete(path, version_of(initiative), reason)

    # Milestones

    @listing
    def milestones(self, /, initiative: str, **paging: Filter) -> Call[Stretch[Milestone]]:
        """The milestones of an initiative, by number."""
        return pages(self.milestone_at(initiative), Page[Milestone], paging)

    @operation
    def milestone(self, initiative: str, number: int) -> Call[Milestone]:
        """One milestone."""
        return calls.get(self.milestone_at(initiative, number), Milestone)

    @operation
    def create_milestone(
        self, initiative: str, new: NewMilestone | Fields, *, key: str | None = None
    ) -> Call[Milestone]:
        """Add a milestone."""
        return calls.post(self.milestone_at(initiative), Milestone, new, key)

    @operation
    def change_milestone(
        self, initiative: str, milestone: Milestone | int, changes: MilestoneChanges | Fields
    ) -> Call[Milestone]:
        """Change, drop or bring back a milestone."""
        path = self.milestone_at(initiative, number_of(milestone))
        return calls.patch(path, Milestone, changes, version_of(milestone))

    @operation
    def delete_milestone(
        self, initiative: str, milestone: Milestone | int, *, reason: str | None = None
    ) -> Call[None]:
        """Delete a milestone without reports."""
        path = self.milestone_at(initiative, number_of(milestone))
        return calls.delete(path, version_of(milestone), reason)

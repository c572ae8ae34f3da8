from __future__ import annotations

import pytest

from kodomo.errors import NotPermitted
from kodomo.governance.permissions import CASE_ACTIONS, GRANTS, PARTY_OF_ROLE, Action, Role, Scope, can, check, scope
from kodomo.terms import Party

NO_CHILD = (Role.HOLDER, Role.ANALYST, Role.PRIVACY_OFFICER, Role.SYSTEM_ADMINISTRATOR)


def test_every_role_is_described_and_granted_something() -> None:
    for role in Role:
        assert len(role.description) > 10
        assert Action.VIEW_HOME in GRANTS[role]
        assert role in PARTY_OF_ROLE


def test_every_party_of_the_guideline_has_a_role() -> None:
    assert {party for party in PARTY_OF_ROLE.values() if party} == set(Party)


def test_every_action_is_somebodys() -> None:
    granted = {action for actions in GRANTS.values() for action in actions}
    assert set(Action) - granted == {Action.SIGN_IN}


@pytest.mark.parametrize("role", NO_CHILD)
def test_some_roles_see_no_child(role: Role) -> None:
    seeing = CASE_ACTIONS | {Action.VIEW_SHORTLIST, Action.EXPORT_SHORTLIST}
    assert not seeing & set(GRANTS[role])


def test_only_the_practitioner_opens_names_and_decides() -> None:
    for action in (Action.REVEAL_NAME, Action.DECIDE, Action.WRITE_FIRST_VIEW):
        assert [role for role in Role if scope(role, action)] == [Role.PRACTITIONER]
        assert scope(Role.PRACTITIONER, action) is Scope.OWN_OFFICE


def test_only_the_privacy_officer_reads_the_trail_and_only_the_administrator_keeps_accounts() -> None:
    assert [role for role in Role if scope(role, Action.VIEW_AUDIT)] == [Role.PRIVACY_OFFICER]
    assert [role for role in Role if scope(role, Action.MANAGE_ACCOUNTS)] == [Role.SYSTEM_ADMINISTRATOR]


@pytest.mark.parametrize("action", sorted(CASE_ACTIONS))
def test_not_knowing_whose_case_it_is_never_means_yes(action: Action) -> None:
    assert not any(can(role, action, own_office=None) for role in Role)


def test_another_offices_case_is_refused_in_words_that_say_whom_to_ask() -> None:
    with pytest.raises(NotPermitted) as refusal:
        check(Role.PRACTITIONER, Action.VIEW_CASE, own_office=False)
    assert "ほかの部署" in refusal.value.what
    assert "担当部署" in refusal.value.then


def test_a_role_without_the_permission_is_named_in_the_refusal() -> None:
    with pytest.raises(NotPermitted) as refusal:
        check(Role.ANALYST, Action.VIEW_CASE, own_office=True)
    assert Role.ANALYST.label in refusal.value.what


def test_somebody_not_signed_in_may_sign_in_and_nothing_else() -> None:
    assert [action for action in Action if can(None, action, own_office=True)] == [Action.SIGN_IN]

"""What the pages about passwords, second factors and accounts say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues, refusals


@dataclass(frozen=True, slots=True)
class AccountWords:
    """One language's words."""

    by_password: str
    by_code: str
    email: str
    password: str
    new_password: str
    password_rule: str
    go_on: str
    wrong_password: str
    forgotten: str
    second_factor: str
    second_factor_hint: str
    code: str
    wrong_code: str
    set_up: str
    set_up_lines: list[str]
    secret: str
    on_this_device: str
    open_app: str
    confirm: str
    sign_in_over: str
    sign_in_over_why: str
    recovery_codes: str
    recovery_codes_why: str
    codes_kept: str
    forgotten_hint: str
    send_link: str
    wrong_email: str
    link_sent: str
    link_sent_why: str
    choose_password: str
    change_password: str
    password_changed: str
    password_changed_why: str
    others_ended: str
    wrong_proof: str
    security: str
    second_factors: str
    replace_app: str
    codes_left: str
    new_codes: str
    confirm_yourself: str
    confirm_why: str
    mail_code: str
    invitation: str
    accept: str
    has_account: str
    has_account_why: str
    invitation_over: str
    invitation_over_why: str
    people: str
    accounts: str
    no_accounts: str
    no_factor: str
    next_page: str
    short_of_managers: str
    short_of_managers_why: str
    sessions: str
    no_sessions: str
    change_rights: str
    deactivate: str
    deactivated: str
    reason: str
    override_reason: str
    accept_by_passkey: str
    first_passkey: str
    erasures: str
    erasures_why: str
    no_erasures: str
    answer_by: str
    asked_by_holder: str
    providers: str
    providers_why: str
    unbind: str
    recoveries: str
    recoveries_why: str
    no_recoveries: str
    proposed_by: str
    approve: str
    refuse: str
    propose: str
    new_address: str
    holder_ref: str
    approvals: str
    approvals_why: str
    public_page: str
    open_until: str
    certificate_number: str
    reason_code: str
    own_record: str
    own_record_why: str
    is_holder_too: str
    invitations: str
    no_invitations: str
    invite: str
    send_again: str
    withdraw: str
    name: str
    role: str
    organization: str
    access: str
    language: str
    by_passkey: str
    passkey: str
    passkey_ask: str
    use_passkey: str
    passkey_failed: str
    passkey_script: str
    wrong_passkey: str
    passkey_is_factor: str
    other_way: str
    passkeys: str
    passkeys_why: str
    no_passkeys: str
    add_passkey: str
    passkey_name: str
    passkey_name_hint: str
    name_passkey: str
    passkey_added: str
    passkey_used: str
    passkey_unused: str
    by_provider: str
    to_provider: str
    provider_failed: str
    provider_failed_why: str
    provider_refused: str
    provider_refused_why: str
    holder_password: str
    remove_password: str
    holder_forgot: str
    rename: str
    remove: str
    invalid_invitation: str
    invalid_colleague: str
    near: str
    invalid_account: str
    invalid_recovery: str
    invalid_approval: str
    faults: dict[str, str]
    invited_as: dict[str, str]
    member_roles: dict[str, str]
    accesses: dict[str, str]
    languages: dict[str, str]
    states: dict[str, str]
    recovery_kinds: dict[str, str]
    two_person_acts: dict[str, str]
    refusals: dict[str, str]

    def refusal(self, code: str) -> str:
        """Why something was refused, by the stable code of the refusal."""
        return self.refusals.get(code, self.refusals["conflict"])


def _of_language(language: str) -> AccountWords:
    """The words; a refusal for which this page has none of its own is told as anywhere."""
    topic = catalogues.topic(language, "account_pages")
    own = {"refusals": {**refusals.CODES[language], **topic["refusals"]}}
    return AccountWords(**{**topic, **own})


WORDS = {lang: _of_language(lang) for lang in catalogues.LANGUAGES}

-- Row-level security. {schema} is the schema of the tables.

create function tracker_sees_all() returns boolean language sql stable as $$
    select coalesce(current_setting('tracker.viewer', true) = 'all', false)
$$;
create function tracker_holder() returns uuid language sql stable as $$
    select case when current_setting('tracker.viewer', true) like 'holder %'
        then substr(current_setting('tracker.viewer', true), 8)::uuid end
$$;
create function tracker_employer() returns uuid language sql stable as $$
    select case when current_setting('tracker.viewer', true) like 'employer %'
        then substr(current_setting('tracker.viewer', true), 10)::uuid end
$$;
create function tracker_asked_holders() returns uuid[] language sql stable
    security definer set search_path = {schema}, pg_temp as $$
    select case when current_setting('tracker.viewer', true) like 'asked %' then array(
        select holder_id from certification
        where public_id = substr(current_setting('tracker.viewer', true), 7)
        or number_key = substr(current_setting('tracker.viewer', true), 7)
        or former_key = substr(current_setting('tracker.viewer', true), 7)) end
$$;
create function tracker_saw_holder(look uuid) returns boolean language sql stable
    security definer set search_path = {schema}, pg_temp as $$
    select exists (
        select from worker_seen where look_id = look and holder_id = tracker_holder())
$$;
create function tracker_admit(secret text) returns text language sql volatile
    security definer set search_path = {schema}, pg_temp as $$
    select set_config('tracker.viewer', coalesce((
        select case when role in ('reviewer', 'staff', 'admin') then 'all'
            when role = 'holder' then 'holder ' || holder_id
            else 'employer ' || employer_id end
        from token where digest = secret), 'nobody'), true)
$$;
alter table account enable row level security;
create policy rows on account using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or employer_id = (select tracker_employer()));
alter table activity enable row level security;
create policy reads on activity for select using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()) or exists (select from sharing where sharing.holder_id =
    activity.holder_id and sharing.employer_id = (select tracker_employer()) and sharing.ended_at
    is null));
create policy adds on activity for insert with check ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()));
create policy changes on activity for update using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()));
create policy deletes on activity for delete using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()));
alter table activity_decision enable row level security;
create policy reads on activity_decision for select using ((select tracker_sees_all()) or exists
    (select from activity where activity.id = activity_decision.activity_id));
create policy adds on activity_decision for insert with check ((select tracker_sees_all()));
create policy changes on activity_decision for update using ((select tracker_sees_all()));
create policy deletes on activity_decision for delete using ((select tracker_sees_all()));
alter table adjustment_batch enable row level security;
create policy rows on adjustment_batch using ((select tracker_sees_all()));
alter table appeal enable row level security;
create policy rows on appeal using ((select tracker_sees_all()) or exists (select from
    certification where certification.id = appeal.certification_id and certification.holder_id =
    (select tracker_holder())));
alter table approval enable row level security;
create policy rows on approval using ((select tracker_sees_all()));
alter table assessment enable row level security;
create policy reads on assessment for select using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()) or exists (select from sharing where sharing.holder_id =
    assessment.holder_id and sharing.employer_id = (select tracker_employer()) and
    sharing.ended_at is null));
create policy adds on assessment for insert with check ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()));
create policy changes on assessment for update using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()));
create policy deletes on assessment for delete using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()));
alter table authenticator enable row level security;
create policy rows on authenticator using ((select tracker_sees_all()) or exists (select from
    account where account.id = authenticator.account_id));
alter table bounce enable row level security;
create policy rows on bounce using ((select tracker_sees_all()));
alter table certification enable row level security;
create policy reads on certification for select using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()) or exists (select from sharing where sharing.holder_id =
    certification.holder_id and sharing.employer_id = (select tracker_employer()) and
    sharing.ended_at is null) or holder_id = any ((select tracker_asked_holders())::uuid[]));
create policy adds on certification for insert with check ((select tracker_sees_all()) or
    holder_id = (select tracker_holder()));
create policy changes on certification for update using ((select tracker_sees_all()) or holder_id
    = (select tracker_holder()));
create policy deletes on certification for delete using ((select tracker_sees_all()) or holder_id
    = (select tracker_holder()));
alter table cycle enable row level security;
create policy reads on cycle for select using ((select tracker_sees_all()) or (select
    tracker_asked_holders()) is null and exists (select from certification where certification.id
    = cycle.certification_id));
create policy adds on cycle for insert with check ((select tracker_sees_all()) or exists (select
    from certification where certification.id = cycle.certification_id and certification.holder_id
    = (select tracker_holder())));
create policy changes on cycle for update using ((select tracker_sees_all()) or exists (select
    from certification where certification.id = cycle.certification_id and certification.holder_id
    = (select tracker_holder())));
create policy deletes on cycle for delete using ((select tracker_sees_all()) or exists (select
    from certification where certification.id = cycle.certification_id and certification.holder_id
    = (select tracker_holder())));
alter table cycle_adjustment enable row level security;
create policy reads on cycle_adjustment for select using ((select tracker_sees_all()) or (select
    tracker_asked_holders()) is null and exists (select from certification where certification.id
    = cycle_adjustment.certification_id));
create policy adds on cycle_adjustment for insert with check ((select tracker_sees_all()) or
    exists (select from certification where certification.id = cycle_adjustment.certification_id
    and certification.holder_id = (select tracker_holder())));
create policy changes on cycle_adjustment for update using ((select tracker_sees_all()) or exists
    (select from certification where certification.id = cycle_adjustment.certification_id and
    certification.holder_id = (select tracker_holder())));
create policy deletes on cycle_adjustment for delete using ((select tracker_sees_all()) or exists
    (select from certification where certification.id = cycle_adjustment.certification_id and
    certification.holder_id = (select tracker_holder())));
alter table digest enable row level security;
create policy rows on digest using ((select tracker_sees_all()) or employer_id = (select
    tracker_employer()));
alter table digest_order enable row level security;
create policy rows on digest_order using ((select tracker_sees_all()) or employer_id = (select
    tracker_employer()));
alter table employer_bar enable row level security;
create policy rows on employer_bar using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()));
alter table employer_look enable row level security;
create policy reads on employer_look for select using ((select tracker_sees_all()) or employer_id
    = (select tracker_employer()) or tracker_saw_holder(id));
create policy adds on employer_look for insert with check ((select tracker_sees_all()) or
    employer_id = (select tracker_employer()));
create policy changes on employer_look for update using ((select tracker_sees_all()) or
    employer_id = (select tracker_employer()));
create policy deletes on employer_look for delete using ((select tracker_sees_all()) or
    employer_id = (select tracker_employer()));
alter table erasure enable row level security;
create policy rows on erasure using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()));
alter table evidence enable row level security;
create policy rows on evidence using ((select tracker_sees_all()) or exists (select from activity
    where activity.id = evidence.activity_id and activity.holder_id = (select tracker_holder())));
alter table former_name enable row level security;
create policy reads on former_name for select using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()) or holder_id = any ((select tracker_asked_holders())::uuid[]));
create policy adds on former_name for insert with check ((select tracker_sees_all()) or holder_id
    = (select tracker_holder()));
create policy changes on former_name for update using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()));
create policy deletes on former_name for delete using ((select tracker_sees_all()) or holder_id =
    (select tracker_holder()));
alter table former_renewal_decision enable row level security;
create policy reads on former_renewal_decision for select using ((select tracker_sees_all()) or
    exists (select from renewal where renewal.id = former_renewal_decision.renewal_id));
create policy adds on former_renewal_decision for insert with check ((select tracker_sees_all()));
create policy changes on former_renewal_decision for update using ((select tracker_sees_all()));
create policy deletes on former_renewal_decision for delete using ((select tracker_sees_all()));
alter table history enable row level security;
create policy reads on history for select using ((select tracker_sees_all()));
create policy adds on history for insert with check (true);
create policy changes on history for update using ((select tracker_sees_all()));
create policy deletes on history for delete using ((select tracker_sees_all()));
alter table history_value enable row level security;
create policy reads on history_value for select using ((select tracker_sees_all()));
create policy adds on history_value for insert with check (true);
create policy changes on history_value for update using ((select tracker_sees_all()));
create policy deletes on history_value for delete using ((select tracker_sees_all()));
alter table holder enable row level security;
create policy reads on holder for select using ((select tracker_sees_all()) or id = (select
    tracker_holder()) or exists (select from sharing where sharing.holder_id = holder.id and
    sharing.employer_id = (select tracker_employer()) and sharing.ended_at is null) or id = any
    ((select tracker_asked_holders())::uuid[]));
create policy adds on holder for insert with check ((select tracker_sees_all()) or id = (select
    tracker_holder()));
create policy changes on holder for update using ((select tracker_sees_all()) or id = (select
    tracker_holder()));
create policy deletes on holder for delete using ((select tracker_sees_all()) or id = (select
    tracker_holder()));
alter table idempotency_key enable row level security;
create policy rows on idempotency_key using ((select tracker_sees_all()) or exists (select from
    token where token.id = idempotency_key.token_id) or exists (select from login_session where
    login_session.id = idempotency_key.session_id));
alter table import_run enable row level security;
create policy rows on import_run using ((select tracker_sees_all()) or employer_id = (select
    tracker_employer()));
alter table invitation enable row level security;
create policy rows on invitation using ((select tracker_sees_all()) or employer_id = (select
    tracker_employer()));
alter table login_session enable row level security;
create policy rows on login_session using ((select tracker_sees_all()) or exists (select from
    account where account.id = login_session.account_id));
alter table message enable row level security;
create policy rows on message using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or employer_id = (select tracker_employer()));
alter table notice enable row level security;
create policy rows on notice using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()));
alter table passkey enable row level security;
create policy rows on passkey using ((select tracker_sees_all()) or exists (select from account
    where account.id = passkey.account_id));
alter table password_hash enable row level security;
create policy rows on password_hash using ((select tracker_sees_all()) or exists (select from
    account where account.id = password_hash.account_id));
alter table preference enable row level security;
create policy rows on preference using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()));
alter table provider_identity enable row level security;
create policy rows on provider_identity using ((select tracker_sees_all()) or exists (select from
    account where account.id = provider_identity.account_id));
alter table record_writer enable row level security;
create policy reads on record_writer for select using ((select tracker_sees_all()));
create policy adds on record_writer for insert with check (true);
create policy changes on record_writer for update using ((select tracker_sees_all()));
create policy deletes on record_writer for delete using ((select tracker_sees_all()));
alter table recovery enable row level security;
create policy rows on recovery using ((select tracker_sees_all()));
alter table recovery_code enable row level security;
create policy rows on recovery_code using ((select tracker_sees_all()) or exists (select from
    account where account.id = recovery_code.account_id));
alter table reminder enable row level security;
create policy rows on reminder using ((select tracker_sees_all()) or exists (select from
    certification where certification.id = reminder.certification_id and certification.holder_id =
    (select tracker_holder())));
alter table reminder_cursor enable row level security;
create policy rows on reminder_cursor using ((select tracker_sees_all()) or exists (select from
    certification where certification.id = reminder_cursor.certification_id and
    certification.holder_id = (select tracker_holder())));
alter table renewal enable row level security;
create policy reads on renewal for select using ((select tracker_sees_all()) or (select
    tracker_asked_holders()) is null and exists (select from certification where certification.id
    = renewal.certification_id));
create policy adds on renewal for insert with check ((select tracker_sees_all()) or exists (select
    from certification where certification.id = renewal.certification_id and
    certification.holder_id = (select tracker_holder())));
create policy changes on renewal for update using ((select tracker_sees_all()) or exists (select
    from certification where certification.id = renewal.certification_id and
    certification.holder_id = (select tracker_holder())));
create policy deletes on renewal for delete using ((select tracker_sees_all()) or exists (select
    from certification where certification.id = renewal.certification_id and
    certification.holder_id = (select tracker_holder())));
alter table request enable row level security;
create policy rows on request using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()));
alter table roster_entry enable row level security;
create policy rows on roster_entry using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or employer_id = (select tracker_employer()));
alter table sharing enable row level security;
create policy rows on sharing using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or employer_id = (select tracker_employer()));
alter table sign_in enable row level security;
create policy rows on sign_in using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or exists (select from account where account.id = sign_in.account_id));
alter table standing_change enable row level security;
create policy reads on standing_change for select using ((select tracker_sees_all()) or (select
    tracker_asked_holders()) is null and exists (select from certification where certification.id
    = standing_change.certification_id));
create policy adds on standing_change for insert with check ((select tracker_sees_all()) or exists
    (select from certification where certification.id = standing_change.certification_id and
    certification.holder_id = (select tracker_holder())));
create policy changes on standing_change for update using ((select tracker_sees_all()) or exists
    (select from certification where certification.id = standing_change.certification_id and
    certification.holder_id = (select tracker_holder())));
create policy deletes on standing_change for delete using ((select tracker_sees_all()) or exists
    (select from certification where certification.id = standing_change.certification_id and
    certification.holder_id = (select tracker_holder())));
alter table standing_span enable row level security;
create policy reads on standing_span for select using ((select tracker_sees_all()) or exists
    (select from certification where certification.id = standing_span.certification_id));
create policy adds on standing_span for insert with check ((select tracker_sees_all()) or exists
    (select from certification where certification.id = standing_span.certification_id and
    certification.holder_id = (select tracker_holder())));
create policy changes on standing_span for update using ((select tracker_sees_all()) or exists
    (select from certification where certification.id = standing_span.certification_id and
    certification.holder_id = (select tracker_holder())));
create policy deletes on standing_span for delete using ((select tracker_sees_all()) or exists
    (select from certification where certification.id = standing_span.certification_id and
    certification.holder_id = (select tracker_holder())));
alter table suppression enable row level security;
create policy rows on suppression using ((select tracker_sees_all()));
alter table token enable row level security;
create policy rows on token using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or employer_id = (select tracker_employer()));
alter table worker_seen enable row level security;
create policy rows on worker_seen using ((select tracker_sees_all()) or holder_id = (select
    tracker_holder()) or exists (select from employer_look where employer_look.id =
    worker_seen.look_id));

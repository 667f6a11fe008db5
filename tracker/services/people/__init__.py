"""Holders, their preferences, and the accounts with which people sign in.

``holders`` (people on record), ``names`` (the only place that writes current and former names),
``duplicates`` (records that may be of one person), ``preferences`` (which messages, when, where, in
which language). ``accounts`` (whom an address lets in, and the claim of a record), ``sign_in``
(mailed codes and links), ``invitations``, ``password_sign_in`` (password and second factor),
``passwords`` (hashes), ``password_changes``, ``second_factors`` (apps and recovery codes),
``own_account`` (what people change about theirs), ``managed_accounts`` (those of others),
``recoveries`` (who lost the second factor or the mailbox), ``own_records`` (those of people who
work for the body), ``account_news`` (what people are told of their account), ``sessions`` (who is
signed in, and where), ``known_addresses``. Requests that staff decide are in
``tracker.services.desk``.
"""

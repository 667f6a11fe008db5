"""Pages of people: signing in by a mailed code or a password, and what they see afterwards.

``sign_in`` has the pages before (address or number, code, link) and signing out,
``password_sign_in`` those for password and second factor, ``passkeys`` those for passkeys,
``single_sign_on`` those for identity providers,
``password_resets`` those for a forgotten password, ``invitations`` those for accepting one,
``account``, ``security`` and ``colleagues`` those after signing in. ``evaluations``,
``activities``, ``renewals`` and ``appeals`` are the pages of one certification, with the links of
``navigation.of_certification`` at their top; ``consents`` says who sees a holder. ``visitors`` says
who is there and makes the pages, ``forms`` those that consist of a form; ``kept_forms`` keeps what
was typed for whoever must prove first who they are. Modules named ``words``, or after a page and
``_words``, have what they say.
"""

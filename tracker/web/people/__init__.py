"""Pages of people: signing in by a mailed code or a password, and what they see afterwards.

``sign_in`` has the pages before (address or number, code, link) and signing out,
``password_sign_in`` those for password and second factor, ``passkeys`` those for passkeys,
``single_sign_on`` those for identity providers,
``password_resets`` those for a forgotten password, ``invitations`` those for accepting one,
``account``, ``security`` and ``colleagues`` those after signing in. ``visitors`` says who is there
and makes the pages, ``forms`` those that consist of a form; ``words`` and ``account_words`` have
what they say.
"""

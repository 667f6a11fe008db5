"""Rules about people's accounts: which addresses sign in, what codes and sessions are worth.

``accounts`` says by which addresses a person signs in and what an employer's people may do,
``sign_in`` what people type and where they go afterwards, ``passwords`` which passwords may be
chosen, ``second_factors`` what codes look like, ``sessions`` how long a session lives,
``invitations`` who invites whom, ``managers`` who must not be the last to go, ``recoveries`` which
two people let somebody in again. ``duplicates`` says which records may be of one person.
"""

"""Rules about people's accounts: which addresses sign in, what codes and sessions are worth.

``accounts`` says by which addresses a person signs in, ``sign_in`` what people type and where they
go afterwards, ``sessions`` how long a session lives.
"""

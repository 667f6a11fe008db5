"""Routes about the caller: who am I, what should I do next, sessions, and the tokens of programs.

Reading a request's token or cookie is in ``api/http/routing.py``; what a token is and when it ends
is in ``services/core/tokens.py``, the same for sessions in ``services/people/sessions.py``. Signing
in is a matter of pages (``web/people``).
"""

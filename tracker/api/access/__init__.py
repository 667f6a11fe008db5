"""Routes about the caller: who am I, what should I do next, and the tokens of programs.

Reading a request's token is in ``api/http/routing.py``; what a token is and when it ends is in
``services/core/tokens.py``.
"""

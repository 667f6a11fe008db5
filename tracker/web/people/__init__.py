"""Pages of people: signing in by a mailed code, and what they see once they are signed in.

``sign_in`` has the pages before (address or number, code, link) and signing out, ``account`` those
after it; ``visitors`` says who is there and makes the pages, ``words`` has what they say.
"""

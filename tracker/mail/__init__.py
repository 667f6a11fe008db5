"""Letters and how they leave the house: composing, handing to a mail server, catching in trials.

``messages`` turns facts into letters and letters into bytes; ``postman`` hands bytes to a mail
server and says what came of it; ``catcher`` is a mail server for demonstrations and tests.
Nothing here reads a database or decides whether a letter is owed.
"""

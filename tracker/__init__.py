"""Tracker: recertification and credential tracking.

The map of the house, top to bottom; an import only ever points downwards:

scheduler          APScheduler as its own process: the timetable and nothing else
front              what the web server runs: bodies in and answers out, none by a waiting thread
app, cli           create_app() and the ``tracker`` command
api/  web/         HTTP doors: parse, authorise, open one unit of work, call one service, present
jobs               what runs by the clock, each safe to run twice
services/          use cases: read facts, ask a rule, write, record history
mail/  models/     letters and the postman; tables by noun
db clock settings schemes tabular    tools that know no noun
domain/            rules by noun: pure decisions, standard library only
"""

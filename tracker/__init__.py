"""Tracker: recertification and credential tracking.

The map, from top to bottom. An import only ever points down; ``lint-imports`` checks it.

cli/              the ``tracker`` command
demo/             ``tracker demo``: a throwaway site with invented people
scheduler         a process that starts the jobs on time;  front: what the web server runs
app               create_app() and create_container(): the only module that sees every floor
web/              doors: HTML pages for people
api/              doors: the JSON interface; ``api/http`` holds what every route uses
jobs              doors: what runs by the clock, safe to run twice;  relay_reader: the relay's log
services/         use cases: read facts, ask a rule, write rows and history; never commit
mail/             messages composed, made into bytes, handed to the relay; bounces read
models/           tables: columns and constraints, no decisions
copies            private copies of the database, for dry runs
backups           everything on record copied to a folder, and put back
db, clock         the database and its transactions; the only reader of wall time
row_security      whose rows PostgreSQL shows to the statements of a connection
migrations        bringing a database to the newest migration
scheme_files/     config/schemes/*.toml read into the values of ``domain/schemes``
tabular/          CSV and XLSX, in and out
documents/        reports as PDF, with their layout and fonts
files/            evidence files: checked and kept;  turns: at most so many of something at once
openid            identity providers asked who somebody is;  signatures: what anybody can check
apart             work on strangers' bytes in a process of its own;  logs: what log lines look like
settings          config/*.toml and the environment;  setting_rules, production_rules: what they
                  must be
language/         everything said to people, in English and Spanish
domain/           rules: pure decisions over frozen values and a date

Services, domain and api are divided into the same areas, from top to bottom: overview, desk,
imports, delivery, employers, points, people, credentials, outbox, standings, core. Within
services an area imports lower areas only. Not every floor has every area.
"""

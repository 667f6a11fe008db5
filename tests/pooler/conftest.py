"""Where no PgBouncer is installed nothing here is collected; `.ci/run` installs one."""

from tests import pgbouncer

collect_ignore_glob = [] if pgbouncer.PROGRAM else ["test_*.py"]

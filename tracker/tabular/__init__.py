"""Tables read and written as CSV and XLSX: rows, columns, and errors with their places.

What lives here: reading a file row by row into parsed values with every error collected (`read`),
the parsers of columns (`text`, `date`, `decimal`, ...), and writing rows in which no cell can
become a formula (`write_csv`, `write_xlsx`). What does not: holders and certifications, the
database, Flask.

A table from outside is first unpacked in a process of its own (`unpack`).

From the bottom: `kinds` (what a column holds, how a file writes it), `dates`, `numbers`, `columns`
(parsers), `expected` (the header), `csv_rows` and `xlsx_rows` (rows as texts; for a workbook with
the help of `archive`, `workbook`, `number_formats` and `cells`), `totals` (totals rows), `reader`
(rows as values).

    rows = tabular.read(stream, filename="holders.csv", columns=COLUMNS)   # BadTable: bad header
    for number, values in rows:                                            # good rows only
        ...
    rows.check_clean()                                                     # BadTable: bad rows
"""

from tracker.tabular.columns import (
    Column,
    certificate_number,
    choice,
    email,
    text,
    time_zone,
    truth,
)
from tracker.tabular.dates import date
from tracker.tabular.kinds import Dates, Encoding
from tracker.tabular.numbers import decimal, integer
from tracker.tabular.problems import BadTable, RowError
from tracker.tabular.reader import Reader, read
from tracker.tabular.unpacked import Unpacked, unpack
from tracker.tabular.writer import csv_chunks, harmless, restored, write_csv, write_xlsx

__all__ = [
    "BadTable",
    "Column",
    "Dates",
    "Encoding",
    "Reader",
    "RowError",
    "Unpacked",
    "certificate_number",
    "choice",
    "csv_chunks",
    "date",
    "decimal",
    "email",
    "harmless",
    "integer",
    "read",
    "restored",
    "text",
    "time_zone",
    "truth",
    "unpack",
    "write_csv",
    "write_xlsx",
]

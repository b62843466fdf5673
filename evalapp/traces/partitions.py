"""Weekly partitions of the observation table."""

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

WEEK = timedelta(days=7)
_TABLE = "traces_observation"
# Any number that no other part of the program locks.
_LOCK = 0x6F627376


def week_of(moment):
    """Return the Monday 00:00 UTC at or before `moment`."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def partitions_between(cursor, first, last):
    """Return the names of the partitions that hold observations which start from `first` to `last`."""
    cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [_TABLE])
    there = {name for (name,) in cursor.fetchall()}
    weeks = (week_of(first) + number * WEEK for number in range((week_of(last) - week_of(first)) // WEEK + 1))
    wanted = [f"{_TABLE}_{week:%Y%m%d}" for week in weeks]
    found = [name for name in wanted if name in there]
    return found if len(found) == len(wanted) else [*found, f"{_TABLE}_default"]


@transaction.atomic
def ensure_partitions(*, weeks_back=0, weeks_ahead=4, today=None):
    """Create the missing weekly partitions around today and return their names.

    Rows that had to go to the default partition because theirs was missing are moved into it.
    """
    first = week_of(today or datetime.now(UTC)) - weeks_back * WEEK
    created = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        for start in (first + number * WEEK for number in range(weeks_back + weeks_ahead + 1)):
            name = f"{_TABLE}_{start:%Y%m%d}"
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone()[0] is None:
                _create(cursor, name, start, start + WEEK)
                created.append(name)
    return created


def _create(cursor, name, start, end):
    bounds = [start.isoformat(), end.isoformat()]
    cursor.execute(
        f"CREATE TABLE {name} (LIKE {_TABLE} INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION)"
    )
    cursor.execute(
        f"WITH moved AS (DELETE FROM {_TABLE}_default WHERE start_time >= %s AND start_time < %s RETURNING *)"
        f" INSERT INTO {name} SELECT * FROM moved",
        bounds,
    )
    cursor.execute(
        f"ALTER TABLE {_TABLE} ATTACH PARTITION {name} FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')"
    )

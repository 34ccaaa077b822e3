"""The ids used so far in a file, in bounded memory."""

from __future__ import annotations

import errno
import sqlite3
import tempfile
import weakref

_IN_MEMORY = 512  # KiB: thousands of ids; the rest goes to an unnamed temporary file


class FirstRows:
    """The row in which each id of a file first appeared.

    Rows are streamed, so millions of ids would be what fills the memory. They are kept in a private, unnamed SQLite
    database, which spills to disk when needed.
    """

    def __init__(self) -> None:
        """Create an empty table."""
        # One open transaction and no journal: nothing is ever committed, and nobody else reads it.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._database.close)
        for setting in ("journal_mode = OFF", f"cache_size = -{_IN_MEMORY}"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("CREATE TABLE ids (id BLOB PRIMARY KEY, row INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def add(self, name: str, row: int) -> int | None:
        """Record that `name` appears in `row`; return the earlier row, or None if the name is new.

        Raises OSError if the disk is needed and full.
        """
        key = name.encode("utf-8", "surrogatepass")
        try:
            if self._database.execute("INSERT INTO ids VALUES (?, ?) ON CONFLICT DO NOTHING", (key, row)).rowcount:
                return None
            (first,) = self._database.execute("SELECT row FROM ids WHERE id = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            folder = tempfile.gettempdir()
            raise OSError(errno.EIO, f"cannot store the ids of a long file there ({error})", folder) from error
        return int(first)

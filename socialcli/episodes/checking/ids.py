"""The ids that a file has used so far, in memory that does not grow with the file."""

from __future__ import annotations

import errno
import sqlite3
import tempfile
import weakref

_IN_MEMORY = 512  # KiB: thousands of ids; what is more goes to a temporary file without a name


class FirstRows:
    """In which row of a file each id first stood.

    Nobody says how many there are, and millions of them would fill the memory that the rows themselves do not. So they
    are in a database of SQLite's that is private, that has no name, and that is on the disk only where it has to be.
    """

    def __init__(self) -> None:
        """Begin with none."""
        # Autocommit off and no journal: nothing is ever committed, and nobody reads it after us.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._database.close)
        for setting in ("journal_mode = OFF", f"cache_size = -{_IN_MEMORY}"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("CREATE TABLE ids (id BLOB PRIMARY KEY, row INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def note(self, name: str, row: int) -> int | None:
        """Note that `name` stands in `row`; the row where it stood before, None where it is new.

        Raises OSError where the disk is needed and full.
        """
        key = name.encode("utf-8", "surrogatepass")
        try:
            if self._database.execute("INSERT INTO ids VALUES (?, ?) ON CONFLICT DO NOTHING", (key, row)).rowcount:
                return None
            (first,) = self._database.execute("SELECT row FROM ids WHERE id = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            folder = tempfile.gettempdir()
            raise OSError(errno.EIO, f"the ids of a long file cannot be kept there ({error})", folder) from error
        return int(first)

"""The tables of an OMOP CDM: CSV or Parquet files in a folder, or a database."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from features.errors import ColumnError, InputError
from features.sources.table import Cells, Table
from features.sources.tables import header_of, table_of

__all__ = ["TableReader", "cdm_tables"]

Wanted = Mapping[str, Iterable[str]]


class TableReader(Protocol):
    """Reader of the tables of one CDM."""

    def __call__(
        self, name: str, needed: tuple[str, ...], optional: tuple[str, ...], wanted: Wanted
    ) -> Table | None:
        """Columns of a table, or None where there is no such table.

        A database answers with the rows in which any column of `wanted` holds one of its values; a
        file is read whole.
        """


def cdm_tables(source: Path | str) -> TableReader:
    """Reader of the tables at an SQLAlchemy URL or in a folder.

    Raises
    ------
    InputError
        If there is no such folder, or the database does not answer.
    """
    return _database(str(source)) if "://" in str(source) else _folder(Path(source))


def _folder(folder: Path) -> TableReader:
    if not folder.is_dir():
        raise InputError("folder", "does not exist", source=folder.name)
    files = {file.stem.lower(): file for file in sorted(folder.iterdir()) if file.is_file()}

    def read(
        name: str, needed: tuple[str, ...], optional: tuple[str, ...], wanted: Wanted
    ) -> Table | None:
        del wanted
        if name not in files:
            return None
        header = header_of(files[name])
        _check_columns(header, needed, files[name].name)
        kinds: dict[str, Cells] = dict.fromkeys((*needed, *optional), "text")
        return table_of(files[name], kinds, may_be_empty=True)

    return read


def _check_columns(header: Iterable[str], needed: Iterable[str], source: str) -> None:
    present = set(header)
    for column in needed:
        if column not in present:
            message = f"has no column '{column}'; OMOP CDM 5.4 requires it"
            raise ColumnError("header", message, row=1, source=source)


def _database(url: str) -> TableReader:
    try:
        import sqlalchemy
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        message = "needs the extra: pip install 'smoulder[postgres]'"
        raise InputError("database", message) from error
    # The causes are not shown: a driver's message may hold the address, or a row.
    unanswered = InputError(
        "database", "does not answer; expected an SQLAlchemy URL of a reachable OMOP database"
    )
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        inspector = sqlalchemy.inspect(engine)
        names = [*inspector.get_table_names(), *inspector.get_view_names()]
    except (SQLAlchemyError, ImportError):
        raise unanswered from None
    present = {name.lower(): name for name in names}

    def read(
        name: str, needed: tuple[str, ...], optional: tuple[str, ...], wanted: Wanted
    ) -> Table | None:
        if name not in present:
            return None
        try:
            table = sqlalchemy.Table(present[name], sqlalchemy.MetaData(), autoload_with=engine)
            by_name = {column.name.lower(): column for column in table.columns}
            _check_columns(by_name, needed, name)
            chosen = [column for column in (*needed, *optional) if column in by_name]
            query = sqlalchemy.select(*(by_name[column] for column in chosen))
            choices = [
                sqlalchemy.cast(by_name[column], sqlalchemy.String).in_(sorted(values))
                for column, values in wanted.items()
                if column in by_name
            ]
            with engine.connect() as connection:
                rows = connection.execute(
                    query.where(sqlalchemy.or_(*choices)) if choices else query
                ).all()
        except SQLAlchemyError:
            raise unanswered from None
        cells = zip(*rows, strict=True) if rows else ([] for _ in chosen)
        columns = {
            column: pa.array([None if c is None else str(c) for c in values], pa.string())
            for column, values in zip(chosen, cells, strict=True)
        }
        return Table(name, columns, np.arange(len(rows), dtype=np.int64) + 1, {})

    return read

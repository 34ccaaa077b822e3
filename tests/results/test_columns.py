from __future__ import annotations

from typing import Literal

import pyarrow as pa
import pytest

from socialcli.results.columns import (
    When,
    arrow_schema,
    as_record,
    check_values,
    column,
    columns_of,
    from_record,
    table_row,
)


@table_row
class Inner:
    lambda_: float = column("a threshold", minimum=0)
    names: tuple[str, ...] = column("some names")


@table_row
class Outer:
    kind: Literal["one", "two"] = column("a choice")
    inner: Inner
    count: int | None = column("a count", pa.int64(), default=None, exactly_if=When("kind", "two"))


def test_the_annotation_gives_type_and_nulls_and_a_row_in_a_row_its_columns() -> None:
    assert arrow_schema(Outer).equals(
        pa.schema(
            [
                pa.field("kind", pa.string(), nullable=False),
                pa.field("lambda", pa.float64(), nullable=False),
                pa.field("names", pa.list_(pa.string()), nullable=False),
                pa.field("count", pa.int64()),
            ]
        )
    )
    limits = {one.name: dict(one.limits) for one in columns_of(Outer)}
    assert limits == {"kind": {"enum": ["one", "two"]}, "lambda": {"minimum": 0}, "names": {}, "count": {}}


def test_a_record_has_the_columns_in_order_and_gives_the_row_again() -> None:
    inner = Inner(lambda_=0.5, names=("é", "b\ud800"))
    record = as_record(Outer(kind="one", inner=inner))
    assert list(record.items()) == [("kind", "one"), ("lambda", 0.5), ("names", ["é", "b\\ud800"]), ("count", None)]
    assert from_record(Inner, {"lambda": 0.5, "names": ["é", "b\ud800"]}) == inner


@pytest.mark.parametrize("record", [{"lambda": 0.5}, {"lambda": 0.5, "names": [], "more": 1}])
def test_a_record_of_other_columns_is_no_row(record: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        from_record(Inner, record)


@pytest.mark.parametrize(("kind", "count"), [("one", 1), ("two", None)])
def test_a_value_where_there_should_be_none_or_none_where_there_should_be_one(
    kind: Literal["one", "two"], count: int | None
) -> None:
    row = Outer(kind=kind, inner=Inner(lambda_=0.5, names=()), count=count)
    with pytest.raises(ValueError, match=r"^a row: count has a value if, and only if, kind is two$"):
        check_values(row, "a row")


def test_an_annotation_without_an_arrow_type_is_refused() -> None:
    with pytest.raises(TypeError, match="dict"):

        @table_row
        class _Odd:
            odd: dict[str, int] = column("a mapping")

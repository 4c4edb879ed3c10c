"""The public names, gathered; the modules below are not part of the interface.

Transformer classes are here and not in `pathway` itself.
"""

from pathway._engine import Pointer
from pathway.internals.api import PersistenceMode
from pathway.internals.background import BackgroundRun, run_in_background
from pathway.internals.custom_reducers import BaseCustomAccumulator
from pathway.internals.datetime_types import DateTimeNaive, DateTimeUtc, Duration
from pathway.internals.engine_types import PathwayType as Type
from pathway.internals.error_log import global_error_log, local_error_log
from pathway.internals.explain import explain
from pathway.internals.expression import ColumnExpression, ColumnReference, ReducerExpression
from pathway.internals.expression.conditional import coalesce, fill_error, if_else, require, unwrap
from pathway.internals.expression.convert import cast, declare_type, make_tuple
from pathway.internals.functions import (
    groupby,
    join,
    join_inner,
    join_left,
    join_outer,
    join_right,
)
from pathway.internals.groupby import GroupedJoinResult, GroupedTable
from pathway.internals.interactive import LiveTable, enable_interactive_mode
from pathway.internals.iterate import iterate, iterate_universe
from pathway.internals.join_mode import JoinMode
from pathway.internals.joinable import Joinable
from pathway.internals.joins import JoinResult
from pathway.internals.json import Json
from pathway.internals.monitoring import MonitoringLevel
from pathway.internals.monitoring_config import set_license_key, set_monitoring_config
from pathway.internals.py_object import PyObjectWrapper, wrap_py_object
from pathway.internals.run import run, run_all
from pathway.internals.schema import (
    ColumnDefinition,
    Schema,
    SchemaProperties,
    column_definition,
    schema_builder,
    schema_from_csv,
    schema_from_dict,
    schema_from_types,
)
from pathway.internals.schema_assert import assert_table_has_schema, table_transformer
from pathway.internals.table import Table
from pathway.internals.table_like import TableLike
from pathway.internals.table_slice import TableSlice
from pathway.internals.thisclass import left, right, this
from pathway.internals.transformers import (
    ClassArg as ClassArg,
)
from pathway.internals.transformers import (
    attribute as attribute,
)
from pathway.internals.transformers import (
    input_attribute as input_attribute,
)
from pathway.internals.transformers import (
    input_method as input_method,
)
from pathway.internals.transformers import (
    method as method,
)
from pathway.internals.transformers import (
    output_attribute as output_attribute,
)
from pathway.internals.transformers import (
    transformer as transformer,
)
from pathway.internals.udfs import UDF, udf
from pathway.internals.udfs.apply import apply, apply_async, apply_with_type
from pathway.internals.yaml_loader import load_yaml

__all__ = [
    "UDF",
    "BackgroundRun",
    "BaseCustomAccumulator",
    "ColumnDefinition",
    "ColumnExpression",
    "ColumnReference",
    "DateTimeNaive",
    "DateTimeUtc",
    "Duration",
    "GroupedJoinResult",
    "GroupedTable",
    "JoinMode",
    "JoinResult",
    "Joinable",
    "Json",
    "LiveTable",
    "MonitoringLevel",
    "PersistenceMode",
    "Pointer",
    "PyObjectWrapper",
    "ReducerExpression",
    "Schema",
    "SchemaProperties",
    "Table",
    "TableLike",
    "TableSlice",
    "Type",
    "apply",
    "apply_async",
    "apply_with_type",
    "assert_table_has_schema",
    "cast",
    "coalesce",
    "column_definition",
    "declare_type",
    "enable_interactive_mode",
    "explain",
    "fill_error",
    "global_error_log",
    "groupby",
    "if_else",
    "iterate",
    "iterate_universe",
    "join",
    "join_inner",
    "join_left",
    "join_outer",
    "join_right",
    "left",
    "load_yaml",
    "local_error_log",
    "make_tuple",
    "require",
    "right",
    "run",
    "run_all",
    "run_in_background",
    "schema_builder",
    "schema_from_csv",
    "schema_from_dict",
    "schema_from_types",
    "set_license_key",
    "set_monitoring_config",
    "table_transformer",
    "this",
    "udf",
    "unwrap",
    "wrap_py_object",
]

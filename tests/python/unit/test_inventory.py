"""The public names of the contract exist, and nothing is public by accident."""

from __future__ import annotations

import importlib

import pytest

import pathway as pw

#: Names of the package itself, and of the modules in it.
PACKAGE = """
AsyncTransformer BaseCustomAccumulator ColumnExpression ColumnReference DateTimeNaive DateTimeUtc Duration
GroupedJoinResult GroupedTable Joinable JoinResult JoinMode Json MonitoringLevel PersistenceMode Pointer
PyObjectWrapper Schema SchemaProperties Table TableLike TableSlice Type UDF __version__ apply apply_async
apply_with_type assert_table_has_schema cast coalesce declare_type explain fill_error if_else make_tuple require unwrap
column_definition debug demo global_error_log local_error_log groupby io iterate iterate_universe join join_inner
join_left join_outer join_right left right this load_yaml pandas_transformer reducers run run_all schema
schema_builder schema_from_csv schema_from_dict schema_from_types set_license_key set_monitoring_config sql stateful
statistical ordered stdlib table_transformer temporal udf udfs universes utils viz wrap_py_object graphs indexing ml
persistence LiveTable enable_interactive_mode engine internals
"""

TABLE = """
C assert_append_only await_futures buffer cast_to_types column_names concat concat_reindex copy debug deduplicate diff
difference empty eval_type explain filter filter_out_results_of_forgetting flatten forget from_columns from_streams groupby id
ignore_late interpolate intersect is_append_only ix ix_ref join join_inner join_left join_outer join_right keys live
plot pointer_from promise_universe_is_equal_to promise_universe_is_subset_of promise_universes_are_disjoint reduce
remove_errors rename rename_by_dict rename_columns restrict schema select show slice sort split stream_to_table to
to_stream typehints unpack_snapshots update_cells update_columns update_id_type update_rows update_types with_columns
with_id with_id_from with_prefix with_suffix with_universe_of without
windowby asof_join asof_join_left asof_join_right asof_join_outer asof_now_join asof_now_join_inner
asof_now_join_left interval_join interval_join_inner interval_join_left interval_join_right interval_join_outer
window_join window_join_inner window_join_left window_join_right window_join_outer inactivity_detection
add_update_timestamp_utc
"""

MODULES = {
    "pathway.reducers": """any argmax argmin avg count count_distinct count_distinct_approximate earliest latest max
        min ndarray sorted_tuple stateful_many stateful_single sum tuple udf_reducer unique""",
    "pathway.udfs": """AsyncRetryStrategy CacheStrategy DefaultCache DiskCache ExponentialBackoffRetryStrategy
        FixedDelayRetryStrategy InMemoryCache NoRetryStrategy UDF async_executor async_options auto_executor
        coerce_async fully_async_executor sync_executor udf with_cache_strategy with_capacity with_retry_strategy
        with_timeout""",
    "pathway.schema": "schema_builder",
    "pathway.universes": "promise_are_equal promise_are_pairwise_disjoint promise_is_subset_of",
    "pathway.debug": """compute_and_print compute_and_print_update_stream table_from_markdown table_from_pandas
        table_from_parquet table_from_rows table_to_dicts table_to_pandas table_to_parquet StreamGenerator""",
    "pathway.demo": "generate_custom_stream noisy_linear_stream range_stream replay_csv replay_csv_with_time",
    "pathway.persistence": "Backend Config",
    "pathway.stdlib.utils": "async_transformer bucketing col filtering pandas_transformer",
    "pathway.stdlib.utils.col": """apply_all_rows groupby_reduce_majority multiapply_all_rows unpack_col
        unpack_col_dict""",
    "pathway.stdlib.utils.filtering": "argmax_rows argmin_rows",
    "pathway.stdlib.utils.bucketing": "truncate_to_minutes",
    "pathway.stdlib.utils.async_transformer": "AsyncTransformer",
    "pathway.stdlib.utils.pandas_transformer": "pandas_transformer",
    "pathway.stdlib.ordered": "diff",
    "pathway.stdlib.stateful": "deduplicate",
    "pathway.stdlib.statistical": "interpolate",
    "pathway.stdlib.graphs": "Edge Graph Vertex WeightedGraph bellman_ford louvain_communities pagerank",
    "pathway.stdlib.graphs.bellman_ford": "DistFromSource Vertex bellman_ford",
    "pathway.stdlib.graphs.pagerank": "Result pagerank",
    "pathway.stdlib.graphs.louvain_communities.impl": """louvain_communities_fixed_iterations
        exact_modularity""",
    "pathway.stdlib.graphs.common": "Cluster Clustering Edge Vertex Weight",
    "pathway.stdlib.ml": "classifiers datasets hmm index smart_table_ops utils",
    "pathway.stdlib.ml.classifiers": """DistanceTypes knn_lsh_classifier_train knn_lsh_classify
        knn_lsh_euclidean_classifier_train knn_lsh_generic_classifier_train knn_lsh_train""",
    "pathway.stdlib.ml.datasets.classification": "load_mnist_sample load_mnist_stream",
    "pathway.stdlib.ml.hmm": "create_hmm_reducer",
    "pathway.stdlib.ml.index": "KNNIndex",
    "pathway.stdlib.ml.smart_table_ops": """Edge Feature FuzzyJoinFeatureGeneration FuzzyJoinNormalization JoinResult
        Node fuzzy_match fuzzy_match_tables fuzzy_match_with_hint fuzzy_self_match smart_fuzzy_match""",
    "pathway.stdlib.ml.utils": "classifier_accuracy",
    "pathway.stdlib.viz": "plot show _repr_mimebundle_",
    "pathway.internals": """ClassArg attribute input_attribute input_method method output_attribute transformer
        ColumnDefinition ReducerExpression dtype TableWriterInitMode""",
    "pathway.internals.parse_graph": "G ErrorLogSchema warn_if_some_operators_unused",
    "pathway.internals.api": """Pointer Value EngineError PersistenceMode SessionType ref_scalar
        ref_scalar_with_instance unsafe_make_pointer wrap_serializer PyObjectWrapperSerializerProtocol
        DataStorage SnapshotAccess SnapshotEvent""",
    "pathway.internals.dtype": """ANY ANY_ARRAY ANY_POINTER Array DATE_TIME_NAIVE DATE_TIME_UTC DURATION FLOAT INT
        List NONE Optional Pointer Tuple wrap""",
    "pathway.internals.join_mode": "JoinMode",
    "pathway.internals.schema": "Schema schema_from_types",
    "pathway.internals.udfs": "DiskCache ExponentialBackoffRetryStrategy FixedDelayRetryStrategy executors utils",
    "pathway.engine": """Pointer PyObjectWrapper PathwayType EngineError ERROR PENDING MonitoringLevel
        PersistenceMode SessionType ref_scalar unsafe_make_pointer""",
    "pathway.io": "csv fs jsonlines plaintext null python subscribe OnChangeCallback OnFinishCallback CsvParserSettings",
    "pathway.io.python": """read write ConnectorSubject ConnectorObserver AsyncConnectorObserver
        InteractiveCsvPlayer""",
}

#: Areas that are still to come, with the names that they bring. Take out what is there.
LATER = {
    "temporal operations": """asof_now_join asof_now_join_inner asof_now_join_left window_join
        window_join_inner window_join_left window_join_outer window_join_right""",
    "indexes": "indexing",
    "SQL": "sql",
    "replays and monitoring": "DataStorage SnapshotEvent",
    "database connectors": "TableWriterInitMode",
}
ALL_LATER = {name for names in LATER.values() for name in names.split()}


def missing(owner: object, names: list[str]) -> set[str]:
    return {name for name in names if not hasattr(owner, name)}


def test_names_of_the_package() -> None:
    assert missing(pw, PACKAGE.split()) <= ALL_LATER


def test_members_of_tables() -> None:
    assert missing(pw.Table, TABLE.split()) <= ALL_LATER
    assert not hasattr(pw.Table, "having")
    assert not hasattr(pw.Table, "merge_streams")


@pytest.mark.parametrize("name", MODULES)
def test_names_of_modules(name: str) -> None:
    wanted = MODULES[name].split()
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        assert set(wanted) <= ALL_LATER
        return
    assert missing(module, wanted) <= ALL_LATER

"""`pw.load_yaml`: objects described by YAML, with tags that name Python objects and variables.

A document becomes nodes, as PyYAML composes them. Before anything is constructed, `_prepare` looks at all
nodes: what tags name is imported, and definitions are taken out of their mappings. Construction then goes
depth first; a variable is constructed where it is first used, in the scope of its definition.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from pathway.internals.lazy_import import LazyModule
from pathway.internals.yaml_names import call_at, full_name, marked, named_object, told_where, warn_at

if TYPE_CHECKING:
    import yaml
else:
    yaml = LazyModule("yaml")

_VARIABLE = "tag:pathway,2026:variable"
_SET = "tag:yaml.org,2002:set"
_ENVIRONMENT_TYPES = (bool, int, float)


def load_yaml(stream: str | bytes | IO[Any]) -> Any:
    """What a YAML document describes.

    `!module.name` with a mapping calls what it names with the mapping as keyword arguments, without anything
    it is the object itself; `pw.` stands for `pathway.`. `$name: value` in a mapping defines a variable for
    it and all that is in it, `$name` elsewhere is its value, which is made once. What is not defined is taken
    from the environment.

    Args:
        stream: the text, or a file that is open for reading.

    Raises:
        yaml.MarkedYAMLError: it is no YAML, or a tag or a name of a variable makes no sense.
        AttributeError: what a tag names does not exist.
        KeyError: a variable is defined nowhere.

    >>> import pathway as pw
    >>> pw.load_yaml('''
    ... $attempts: 3
    ... retries: !pw.udfs.ExponentialBackoffRetryStrategy
    ...   max_retries: $attempts
    ... attempts: $attempts
    ... ''')["attempts"]
    3
    """
    if not isinstance(stream, str | bytes) and not hasattr(stream, "read"):
        raise TypeError(
            "load_yaml(): the stream has to be text, bytes or a file that is open for reading, not "
            f"a {type(stream).__qualname__}."
        )
    return Document(stream).construct()


@dataclass(eq=False)
class _Definition:
    """The value of a variable."""

    name: str
    key: yaml.Node
    node: yaml.Node
    #: It is being constructed.
    building: bool = False


@dataclass(eq=False)
class _Scope:
    """The variables of a mapping."""

    outer: _Scope | None
    definitions: Mapping[str, _Definition]
    #: What is under the other keys, if they are variables as well.
    keys: Mapping[str, yaml.Node] = field(default_factory=dict)

    def __iter__(self) -> Iterator[_Scope]:
        """This one and all around it."""
        scope: _Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer


class Document:
    """A document whose nodes are known, and whose objects are constructed when they are asked for.

    Args:
        stream: the text, or a file that is open for reading.
        overrides: values of variables, as text like that of the environment, in place of definitions in
            the outermost mapping.
        keys_are_variables: what is under a key of a mapping can be referred to like a variable.
        checks_tags: what tags name is imported at once, and not when it is constructed.
    """

    def __init__(
        self,
        stream: str | bytes | IO[Any],
        *,
        overrides: Mapping[str, str] | None = None,
        keys_are_variables: bool = False,
        checks_tags: bool = True,
    ) -> None:
        self._overrides = dict(overrides or {})
        self._keys_are_variables = keys_are_variables
        self._checks_tags = checks_tags
        #: The names of all variables that are referred to.
        self.references: set[str] = set()
        self._definitions: dict[yaml.Node, dict[str, _Definition]] = {}
        #: What the tags of nodes name.
        self._named: dict[yaml.Node, Any] = {}
        self._scope = _Scope(None, {})
        self._loader = _loader_class()(stream)
        self._loader.document = self
        try:
            self.root: yaml.Node | None = self._loader.get_single_node()
        finally:
            self._loader.dispose()
        if self.root is not None:
            _flatten(self._loader, self.root)
            self._prepare(self.root, set())

    def construct(self) -> Any:
        """The object that the document describes."""
        if self.root is None:
            return None
        value = self._loader.construct_object(self.root)
        # A value may be defined in several mappings, by an alias or a merge.
        unused = {
            definition.node: definition
            for definitions in self._definitions.values()
            for definition in definitions.values()
            if definition.node not in self._loader.constructed_objects
        }
        for definition in unused.values():
            warn_at(definition.key, f"unused YAML variable ${definition.name}", UserWarning)
        return value

    def node_at(self, *path: str) -> yaml.Node | None:
        """The node under a key of the outermost mapping, or under keys of mappings in it."""
        node = self.root
        for key in path:
            if not isinstance(node, yaml.MappingNode) or node.tag.startswith("!"):
                return None
            node = next((value for at, value in node.value if at.value == key), None)
        return node

    def value_at(self, *path: str) -> Any:
        """The object that is there, of which nothing else is constructed."""
        with ExitStack() as stack:
            for depth in range(len(path)):
                node = self.node_at(*path[:depth])
                if isinstance(node, yaml.MappingNode):
                    stack.enter_context(self.within(self._scope_of(node)))
            return self._loader.construct_object(self.node_at(*path))

    # --- before construction ------------------------------------------------------------------------

    def _prepare(self, node: yaml.Node, seen: set[yaml.Node]) -> None:
        if node in seen:
            return
        seen.add(node)
        if node.tag == _VARIABLE:
            name = node.value[1:]
            if not name.isidentifier():
                raise marked(node, f"variable name {name!r} is not a valid identifier")
            self.references.add(name)
        if node.tag.startswith("!") and self._checks_tags:
            self._named[node] = self._checked_name(node)
        if isinstance(node, yaml.MappingNode):
            self._take_definitions(node)
            for key, value in node.value:
                self._prepare(key, seen)
                self._prepare(value, seen)
            for definition in self._definitions.get(node, {}).values():
                self._prepare(definition.node, seen)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._prepare(item, seen)

    def _take_definitions(self, node: yaml.MappingNode) -> None:
        if node.tag == _SET:
            return
        rest, definitions = [], {}
        for key, value in node.value:
            if key.tag != _VARIABLE:
                rest.append((key, value))
                continue
            name = key.value[1:]
            if not name.isidentifier():
                raise marked(key, f"variable name {name!r} is not a valid identifier")
            if node is self.root and name in self._overrides:
                # What stands here does not count.
                continue
            definitions[name] = _Definition(name, key, value)
        node.value = rest
        if definitions:
            self._definitions[node] = definitions

    def _checked_name(self, node: yaml.Node) -> Any:
        """The object that the tag of a node names, if it can be used with what the node holds."""
        name = node.tag[1:]
        with told_where(node):
            named = named_object(name)
        if _is_empty(node):
            return named
        if not callable(named):
            raise marked(node, f"constructor {name!r} is not callable")
        if not isinstance(node, yaml.MappingNode):
            raise marked(node, "expected a mapping or empty node")
        return named

    # --- construction -------------------------------------------------------------------------------

    def scope_of(self, node: yaml.Node) -> _Scope:
        """The variables that are known in what a node holds."""
        return self._scope_of(node) if isinstance(node, yaml.MappingNode) else self._scope

    def _scope_of(self, node: yaml.MappingNode) -> _Scope:
        definitions = self._definitions.get(node, {})
        keys = {}
        if self._keys_are_variables:
            keys = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
        return _Scope(self._scope, definitions, keys) if definitions or keys else self._scope

    @contextmanager
    def within(self, scope: _Scope) -> Iterator[None]:
        """Names mean what they mean in this scope."""
        before, self._scope = self._scope, scope
        try:
            yield
        finally:
            self._scope = before

    def variable(self, node: yaml.ScalarNode) -> Any:
        """What a reference to a variable stands for."""
        name = node.value[1:]
        for scope in self._scope:
            if (definition := scope.definitions.get(name)) is not None:
                return self._defined(definition, scope, node)
        if name in self._overrides:
            return _of_environment(self._overrides[name])
        if name in os.environ:
            return _of_environment(os.environ[name])
        for scope in self._scope:
            # The key under which it stands is not what it refers to.
            if (value := scope.keys.get(name)) is not None and value not in self._loader.recursive_objects:
                with self.within(scope):
                    return self._loader.construct_object(value)
        error = KeyError(f"variable ${name} is not defined")
        with told_where(node):
            raise error

    def _defined(self, definition: _Definition, scope: _Scope, reference: yaml.Node) -> Any:
        if definition.building:
            raise marked(reference, f"variable ${definition.name} is defined by itself")
        definition.building = True
        try:
            with self.within(scope):
                return self._loader.construct_object(definition.node)
        finally:
            definition.building = False

    def tagged(self, node: yaml.Node) -> Any:
        """What a node with a tag of a Python object stands for."""
        name = node.tag[1:]
        named = self._named[node] if node in self._named else self._checked_name(node)
        arguments: dict[str, Any] = {}
        if isinstance(node, yaml.MappingNode):
            for key, value in self._loader.construct_mapping(node, deep=True).items():
                if not isinstance(key, str):
                    with told_where(node):
                        raise ValueError(f"expected string key, got {type(key)}")
                arguments[key] = value
        elif not callable(named):
            return named
        else:
            warn_at(
                node,
                f"!{name} without a mapping calls {name}, which is deprecated: write !{name} {{}} to call it "
                f"without arguments, or !!python/name:{full_name(named, name)} '' for the object itself.",
                DeprecationWarning,
            )
        with told_where(node):
            return call_at(named, arguments, node)


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == ""


def _of_environment(text: str) -> Any:
    """A number or a truth value, if the text is one in YAML, and otherwise the text."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    return value if isinstance(value, _ENVIRONMENT_TYPES) else text


def _flatten(loader: Any, node: yaml.Node) -> None:
    """Puts what is merged (`<<`) into the mappings."""
    seen: set[yaml.Node] = set()
    left = [node]
    while left:
        node = left.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, yaml.MappingNode):
            loader.flatten_mapping(node)
            left.extend(part for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            left.extend(node.value)


_LOADER: list[type[Any]] = []


def _loader_class() -> type[Any]:
    """The loader of PyYAML that knows our tags; made once, since PyYAML is imported for it."""
    if _LOADER:
        return _LOADER[0]

    class Loader(yaml.UnsafeLoader):
        document: Document

        def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
            if node in self.constructed_objects:
                return self.constructed_objects[node]
            with self.document.within(self.document.scope_of(node)):
                return super().construct_object(node, deep=True)

    def tagged(loader: Loader, suffix: str, node: yaml.Node) -> Any:
        return loader.document.tagged(node)

    def variable(loader: Loader, node: yaml.ScalarNode) -> Any:
        return loader.document.variable(node)

    Loader.add_implicit_resolver(_VARIABLE, re.compile(r"\$"), ["$"])
    Loader.add_constructor(_VARIABLE, variable)
    Loader.add_multi_constructor("!", tagged)
    _LOADER.append(Loader)
    return Loader


__all__ = ["Document", "load_yaml"]

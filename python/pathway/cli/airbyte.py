"""`pathway airbyte create-source`: a file to begin with."""

from __future__ import annotations

from pathlib import Path

import yaml

FOLDER = "connections"

_TEMPLATE = """\
# The source {name} of Airbyte, for pw.io.airbyte.read({path!r}, streams=[...]).
source:
  # What reads the data: a Docker image of Airbyte, or the package of PyPI with the same name.
  docker_image: {image}
  # What the source wants to know. Which settings it has is in its documentation:
  # https://docs.airbyte.com/integrations/sources/{kind}
{config}"""

_FAKER = """\
  config:
    # How many users are made up.
    count: 1000
    # The same number gives the same data.
    seed: 0
"""

_OTHER = """\
  config: {}
  #   setting: value
"""


def create_source(connection: str, image: str) -> Path:
    """Writes the file for a source, and says where it is.

    Raises:
        FileExistsError: there is one.
        ValueError: the name of the connection cannot be the name of a file.
    """
    if not connection or Path(connection).name != connection:
        raise ValueError(f"{connection!r} cannot be the name of a file")
    kind = image.rpartition("/")[2].partition(":")[0].removeprefix("source-")
    path = Path(FOLDER, f"{connection}.yaml")
    text = _TEMPLATE.format(
        name=connection,
        path=str(path),
        image=_scalar(image),
        kind=kind,
        config=_FAKER if kind == "faker" else _OTHER,
    )
    path.parent.mkdir(exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    return path


def _scalar(text: str) -> str:
    """The text as YAML."""
    return str(yaml.safe_dump({"a": text}, width=10**9, allow_unicode=True)).removeprefix("a: ").rstrip("\n")

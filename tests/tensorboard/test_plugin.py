"""The plugin as TensorBoard sets it up: prefixes, kinds of logdirs, the tab."""

from __future__ import annotations

from pathlib import Path

import fsspec
from tensorboard.backend.application import TensorBoardWSGI
from werkzeug.test import Client

from genscope.tensorboard.plugin import GenScopePlugin
from tests.tensorboard.support import (
    DATA,
    FILE,
    client,
    context,
    operators,
    trace_text,
    until,
)


def test_below_a_path_prefix(logdir: Path) -> None:
    of = client(logdir, path_prefix="/team/tb")
    assert len(of.get(f"/team/tb{DATA}/runs").json["runs"]) == 2
    assert of.get(f"/team/tb{DATA}/index.js").status_code == 200
    assert of.get(f"{DATA}/runs").status_code == 404


def test_a_context_with_nothing_in_it() -> None:
    of = Client(TensorBoardWSGI([GenScopePlugin(context())]))
    assert "--logdir" in of.get(f"{DATA}/runs").json["message"]
    listing = of.get("/data/plugins_listing").json["genscope"]
    assert listing["enabled"] is False


def test_logdir_spec(logdir: Path) -> None:
    flags = {"logdir_spec": f"x:{logdir / 'base'},y:{logdir / 'new'}"}
    of = Client(TensorBoardWSGI([GenScopePlugin(context("", **flags))]))
    runs = of.get(f"{DATA}/runs").json["runs"]
    assert [(run["id"], run["label"]) for run in runs] == [
        (f"x/{FILE}", "x"),
        (f"y/{FILE}.gz", "y"),
    ]
    assert operators(of, f"y/{FILE}.gz").json["device_sum_ns"] == 2 * 50_000


def test_a_remote_logdir(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    root = f"/{tmp_path.name}"
    memory.pipe(f"{root}/run/{FILE}", trace_text(3).encode())
    try:
        of = Client(TensorBoardWSGI([GenScopePlugin(context(f"memory:/{root}"))]))
        assert operators(of, f"run/{FILE}").json["device_sum_ns"] == 3 * 50_000
    finally:
        memory.rm(root, recursive=True)


def test_the_tab(logdir: Path) -> None:
    plugin = GenScopePlugin(context(str(logdir)))
    metadata = plugin.frontend_metadata()
    assert plugin.plugin_name == "genscope"
    assert metadata.tab_name == "GenScope"
    assert metadata.es_module_path in plugin.get_plugin_apps()
    assert metadata.element_name is None
    until(plugin.is_active, bool)

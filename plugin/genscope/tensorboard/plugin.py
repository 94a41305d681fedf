"""The plugin as TensorBoard loads it: what it is called, whether it is active, its routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorboard.plugins import base_plugin

from genscope.analysis.compare import compare
from genscope.tensorboard.activity import Activity
from genscope.tensorboard.cache import Cache
from genscope.tensorboard.discovery import Discovery
from genscope.tensorboard.http import app
from genscope.tensorboard.loader import Loader
from genscope.tensorboard.logdirs import logdirs_of
from genscope.tensorboard.paper import PaperRoutes
from genscope.tensorboard.reading import CachedReading
from genscope.tensorboard.routes import Routes
from genscope.tensorboard.sent import Sent
from genscope.tensorboard.several import Several
from genscope.tensorboard.static import ENTRY, Static
from genscope.tensorboard.sweeps import Sweeps
from genscope.tensorboard.views import VIEWS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class GenScopePlugin(base_plugin.TBPlugin):  # type: ignore[misc]  # tensorboard has no types
    """The tab "GenScope". Any field of the context may be None.

    `discovery`, `loader` and `static` are made from the context unless they are passed in.
    """

    plugin_name = "genscope"

    def __init__(
        self,
        context: Any,
        *,
        discovery: Discovery | None = None,
        loader: Loader | None = None,
        static: Static | None = None,
    ) -> None:
        super().__init__(context)
        self._discovery = discovery or Discovery(logdirs_of(context.logdir, context.flags))
        cache = Cache()
        loader = loader or Loader(CachedReading(cache))
        self._routes = Routes(self._discovery, loader, list(VIEWS), compare)
        self._several = Several(self._discovery, loader)
        self._paper = PaperRoutes(self._discovery, loader)
        self._sweeps = Sweeps(self._discovery, loader)
        self._sent = Sent(self._discovery, loader, cache)
        self._static = static or Static()
        self._activity = Activity(self._discovery.has_any)

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """Describe the tab."""
        return base_plugin.FrontendMetadata(es_module_path=ENTRY, tab_name="GenScope")

    def is_active(self) -> bool:
        """Whether a file under the logdir promises a trace; quick, and opens no file."""
        return self._activity()

    def get_plugin_apps(self) -> dict[str, WSGIApplication]:
        """Return the WSGI apps by route, below `data/plugin/genscope`."""
        parts = (self._routes, self._several, self._paper, self._sweeps, self._sent, self._static)
        handlers = {route: do for part in parts for route, do in part.handlers().items()}
        return {route: app(handler) for route, handler in handlers.items()}

"""How time, FLOPs and memory grow over runs that differ in one parameter.

`run` sums up one run, `sweeps` finds what differs, `lines` puts runs that compute attention alike
on one line, `laws` fits it, `crossings` finds where lines cross, `view` puts it together.
"""

from genscope.analysis.scaling.run import contribution
from genscope.analysis.scaling.view import scaling

__all__ = ["contribution", "scaling"]

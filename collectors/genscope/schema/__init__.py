"""The annotations that collectors write into a trace and that analyses read from it."""

from genscope.schema.document import SchemaError, dumps, loads
from genscope.schema.names import (
    ATTENTION,
    COMPONENT,
    MODULE,
    PREFIX,
    Call,
    attention_name,
    component_name,
    module_name,
    parse,
)
from genscope.schema.records import (
    METADATA_KEY,
    VERSION,
    AttentionCall,
    Component,
    ComponentCall,
    Document,
    Module,
    ModuleCall,
    Site,
    Workload,
)

__all__ = [
    "ATTENTION",
    "COMPONENT",
    "METADATA_KEY",
    "MODULE",
    "PREFIX",
    "VERSION",
    "AttentionCall",
    "Call",
    "Component",
    "ComponentCall",
    "Document",
    "Module",
    "ModuleCall",
    "SchemaError",
    "Site",
    "Workload",
    "attention_name",
    "component_name",
    "dumps",
    "loads",
    "module_name",
    "parse",
]

"""Names, values and documents as hostile as models and users can make them."""

from __future__ import annotations

from hypothesis import strategies as st

from genscope.schema import (
    AttentionCall,
    Component,
    ComponentCall,
    Document,
    Module,
    ModuleCall,
    Site,
    Workload,
)

NASTY = (
    'say "cheese"', "C:\\models\\sd", "line\nbreak", "\x00\x1b[31m", "Größe 模型 🙂", "%22", "%NaN",
    "NaN", "a=b q=7", " two  spaces ", "</script>", "External id", "...", "\u202e", "\x7f", "null",
)  # fmt: skip

texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))
words = texts.filter(bool)
whole = st.integers(0, 2**62)
maybe_whole = st.none() | whole
maybe_text = st.none() | texts
scalars = st.one_of(texts, st.integers(-(2**62), 2**62), st.floats(), st.booleans())

workloads = st.builds(
    Workload,
    model=maybe_text,
    device=maybe_text,
    dtype=maybe_text,
    image_size=st.none() | st.tuples(whole, whole),
    frames=maybe_whole,
    batch=maybe_whole,
    prompt_length=maybe_whole,
    steps=maybe_whole,
    attention=maybe_text,
    training=st.none() | st.booleans(),
    extra=st.dictionaries(texts, scalars, max_size=4),
)
sites = st.builds(
    Site,
    id=st.integers(0, 10**6),
    component=maybe_whole,
    module=maybe_whole,
    kind=maybe_text,
    axis=maybe_text,
    heads=maybe_whole,
    kv_heads=maybe_whole,
    head_dim=maybe_whole,
    v_head_dim=maybe_whole,
    dtype=maybe_text,
    causal=st.none() | st.booleans(),
    mask=maybe_text,
    via=texts,
    reason=texts,
)
components = st.builds(
    Component,
    id=st.integers(0, 10**6),
    name=texts,
    class_name=texts,
    parameters=maybe_whole,
    parameter_bytes=maybe_whole,
    dtype=maybe_text,
    device=maybe_text,
)
modules = st.builds(
    Module, id=st.integers(0, 10**6), path=texts, class_name=texts, component=maybe_whole
)
documents = st.builds(
    Document,
    workload=workloads,
    components=st.lists(components, max_size=3, unique_by=lambda one: one.id).map(tuple),
    modules=st.lists(modules, max_size=3, unique_by=lambda one: one.id).map(tuple),
    sites=st.lists(sites, max_size=3, unique_by=lambda one: one.id).map(tuple),
    peak_memory_bytes=maybe_whole,
    libraries=st.dictionaries(texts, texts, max_size=3),
    notes=st.lists(texts, max_size=3).map(tuple),
)

ids = st.integers(0, 10**9 - 1)
calls = st.one_of(
    st.builds(ComponentCall, component=ids, name=texts, step=st.none() | st.integers(-5, 10**12)),
    st.builds(ModuleCall, module=ids, path=texts),
    st.builds(
        AttentionCall,
        site=ids,
        kind=st.none() | words,
        batch=maybe_whole.filter(lambda n: n is None or n < 10**18),
        q_len=st.none() | st.integers(0, 10**12),
        kv_len=st.none() | st.integers(0, 10**12),
        q_tokens=st.none() | st.integers(0, 10**12),
        chain=st.booleans(),
    ),
)

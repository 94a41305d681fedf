"""Every model of the matrix, by name."""

from __future__ import annotations

from tests.collectors.models import (
    images,
    language,
    plain,
    stable_diffusion,
    video_transformers,
    video_unets,
    vision,
)

CASES = {
    case.name: case
    for family in (
        stable_diffusion,
        images,
        video_unets,
        video_transformers,
        language,
        vision,
        plain,
    )
    for case in family.CASES
}

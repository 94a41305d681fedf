"""Running the launcher on somebody's script, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ALONE = (sys.executable, "-m", "genscope.collect", "run")
COMMAND = (sys.executable, "-m", "genscope.cli.main", "run")

MODEL = """
import os, sys
import torch

model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())
for _ in range(6):
    model(torch.ones(2, 4))
"""

ATTENTION = """
import torch

class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = torch.nn.Linear(16, 48)

    def forward(self, value):
        heads = self.qkv(value).view(1, -1, 3, 2, 8).permute(2, 0, 3, 1, 4)
        return torch.nn.functional.scaled_dot_product_attention(*heads)

model = torch.nn.Sequential(Attention()).eval()
with torch.no_grad():
    model(torch.ones(1, 32, 16))
"""


def environment(**more: str) -> dict[str, str]:
    """The environment of a child: as here, without a rank, and with what is imported here."""
    here = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")}
    return {**here, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", **more}


def run(
    folder: Path, *arguments: str, command: tuple[str, ...] = ALONE, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the launcher in `folder`."""
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def traces(folder: Path) -> list[Path]:
    """Everything in a folder of traces, hidden files too."""
    return sorted(folder.iterdir()) if folder.is_dir() else []

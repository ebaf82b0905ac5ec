"""Environments of Python that the extras make, beside the one that tests run in."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def installed(extra: str) -> str:
    """Install an extra's environment as its page does; give its interpreter."""
    environment = f".venv-{extra}"
    subprocess.run([ROOT / "scripts" / "install", environment, extra], check=True)
    return str(ROOT / environment / "bin" / "python")

"""How many tables the dbt project has: measurements, statistics and windows, and a core."""

import shutil
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml

MEASUREMENTS = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave_points",
    "symmetry",
    "fractal_dimension",
)
STATISTICS = ("mean", "error", "worst")
WINDOWS = (7, 14, 28)
# A window is at most as long as the history of the first load.
_FURTHER = tuple(days for days in range(30, 1, -1) if days not in WINDOWS)
_CORE = 18
_LABELS = ("v1", "v2")


@dataclass(frozen=True, slots=True)
class Size:
    """Which measurements, statistics and windows a project has."""

    measurements: tuple[str, ...] = MEASUREMENTS
    statistics: tuple[str, ...] = STATISTICS
    windows: tuple[int, ...] = WINDOWS

    @property
    def tables(self) -> int:
        """How many models dbt finds."""
        each = len(self.measurements) * len(self.statistics)
        return (
            _CORE
            + each * (2 + len(self.windows))
            + len(_LABELS) * len(self.windows)
            + 3 * len(self.measurements)
        )


LARGEST = Size(windows=WINDOWS + _FURTHER)
SMALLEST = Size(MEASUREMENTS[:1], STATISTICS[:1], WINDOWS[:1])


def size_for(tables: int) -> Size:
    """Return the smallest size with at least that many tables; the largest, if none has."""
    sizes = [
        Size(MEASUREMENTS[:measurements], STATISTICS[:statistics], WINDOWS[:windows])
        for measurements, statistics, windows in product(range(1, 11), range(1, 4), range(1, 4))
    ]
    sizes += [Size(windows=WINDOWS + _FURTHER[:more]) for more in range(1, len(_FURTHER) + 1)]
    enough = [size for size in sizes if size.tables >= tables]
    return min(enough, key=lambda size: size.tables, default=LARGEST)


def copy_project(examples: Path, destination: Path, size: Size) -> Path:
    """Copy the dbt project and its package, made to a size; return the project's folder."""
    shutil.rmtree(destination, ignore_errors=True)
    leave = shutil.ignore_patterns("dbt_packages", "target", "logs", "__pycache__", ".user.yml")
    for name in ("pathology", "dbt_mainstem"):
        shutil.copytree(examples / name, destination / name, ignore=leave)
    project = destination / "pathology"
    _set_variables(project / "dbt_project.yml", size)
    for window in set(size.windows) - set(WINDOWS):
        _add_window(project / "models", window)
    return project


def _set_variables(path: Path, size: Size) -> None:
    settings: dict[str, Any] = yaml.safe_load(path.read_text())
    settings["vars"] = {
        "measurements": list(size.measurements),
        "statistics": list(size.statistics),
        "windows": list(size.windows),
    }
    path.write_text(yaml.safe_dump(settings, sort_keys=False))


def _add_window(models: Path, window: int) -> None:
    for measurement, statistic in product(MEASUREMENTS, STATISTICS):
        model = models / "features" / measurement / f"{measurement}_{statistic}_{window}d.sql"
        model.write_text(f"{{{{ feature('{measurement}', '{statistic}', {window}) }}}}\n")
    for labels in _LABELS:
        model = models / "training" / f"training_{labels}_{window}d.sql"
        model.write_text(f"{{{{ training_set('labels_{labels}', {window}) }}}}\n")

"""One survey after the other; whatever is finished is on disk before the next one begins."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tda_landscape import __version__
from tda_landscape._errors import InputError, Interrupted, shown
from tda_landscape._survey import Survey, survey
from tda_landscape.cli._config import Config
from tda_landscape.cli._describe import NOTE, describe
from tda_landscape.cli._energies import build_steps
from tda_landscape.cli._errors import FailedSurvey, StoppedSurvey, WriteError
from tda_landscape.cli._folder import file_stems
from tda_landscape.cli._pictures import draw_curves, draw_network
from tda_landscape.cli._screen import Screen
from tda_landscape.energy import Energy
from tda_landscape.topology import NuCurve


@dataclass
class Report:
    """What has been found so far, and its files."""

    config: Config
    networks: list[dict[str, Any]] = field(default_factory=list)
    curves: dict[str, NuCurve] = field(default_factory=dict)
    curve_pictures: list[str] = field(default_factory=list)
    complete: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The content of results.json."""
        return {
            "tda_landscape": __version__,
            "note": NOTE,
            "complete": self.complete,
            "config": self.config.raw,
            "networks": self.networks,
            "nu_curves": self.curve_pictures,
        }

    def save(self) -> None:
        """Write results.json anew."""
        self.config.folder.write_json("results.json", self.as_dict())

    def where(self) -> str:
        """Say which networks are in results.json."""
        if not self.networks:
            return "nothing had been computed yet"
        labels = ", ".join(shown(n["label"]) + ("" if n["complete"] else " (in part)") for n in self.networks)
        return f"the results of {labels} are in {self.config.folder.path / 'results.json'}"


def run_surveys(config: Config, energies: dict[str, Energy], screen: Screen) -> Report:
    """Survey one energy after the other."""
    report = Report(config)
    stems = file_stems(list(energies))
    label = ""
    try:
        for (label, energy), stem in zip(energies.items(), stems, strict=True):
            screen.begin(label)
            _run_one(report, label, stem, energy, screen)
        report.complete = True
        report.save()
    except KeyboardInterrupt:
        raise StoppedSurvey(f"interrupted at {shown(label)}: {report.where()}") from None
    except InputError as error:
        raise FailedSurvey(f"{shown(label)}: {error}{_others(report)}") from error
    except (WriteError, MemoryError):
        raise
    except Exception as error:
        if report.networks:
            error.add_note(report.where())
        raise
    return report


def _run_one(report: Report, label: str, stem: str, energy: Energy, screen: Screen) -> None:
    """Survey one energy, then write its numbers, then its pictures."""
    began = time.perf_counter()

    def note(found: Survey, complete: bool) -> dict[str, Any]:
        result = describe(label, found, energy.dim, time.perf_counter() - began, complete)
        report.networks.append(result)
        report.save()
        return result

    try:
        steps = build_steps(report.config, energy, screen.tell_pairs)
        found = survey(energy, progress=screen.tell, **steps)
    except Interrupted as stopped:
        if stopped.partial.cloud is not None or stopped.partial.graph is not None:  # type: ignore[attr-defined]
            note(stopped.partial, complete=False)  # type: ignore[arg-type]
        raise
    result = note(found, complete=True)
    screen.tell("draw", f"pictures into {report.config.folder.path}")
    report.curves[label] = found.curve
    result["pictures"] = draw_network(report.config.folder, label, stem, found)
    report.curve_pictures = draw_curves(report.config.folder, report.curves)
    report.save()
    screen.end(f"{result['leaves']} leaves, {result['searched_paths']} paths")


def _others(report: Report) -> str:
    """Where the results of the networks before are, if there are any."""
    return f"; {report.where()}" if report.networks else ""

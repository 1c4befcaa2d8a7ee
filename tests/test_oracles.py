"""The whole pipeline, sampling included, on landscapes whose exact H0 pairs are known."""

import gudhi
import numpy as np
import pytest
import torch

import samplers
import tda_landscape as tl

INF = np.inf
TILT = 27 / 32
LADDER = 1e-3  # the tolerance that Ladder states, relative to the excess of a straight line: here at most 1


def deltas(found, exact):
    """Largest difference of births and deaths, bar by bar."""
    exact = np.array(exact)
    exact = exact[np.lexsort((-exact[:, 1], exact[:, 0]))]
    assert found.shape == exact.shape, f"{len(found)} bars, not {len(exact)}: {found.tolist()}"
    both_infinite = np.isinf(found) & np.isinf(exact)
    return float(np.where(both_infinite, 0, np.abs(found - np.where(both_infinite, 0, exact))).max())


def tilted_pairs(dim):
    """k of `dim` coordinates in the upper well: born at k 27/32, dying at 1 + (k - 1) 27/32."""
    pairs = [(0.0, INF)]
    for k in range(1, dim + 1):
        ways = len([c for c in range(2**dim) if c.bit_count() == k])
        pairs += [(k * TILT, 1 + (k - 1) * TILT)] * ways
    return pairs


CASES = {
    "mueller_brown": (
        tl.zoo.mueller_brown,
        [
            (-80.76781812965903, -72.24894011232522),
            (-108.16672411685235, -40.6648435086574),
            (-146.699517209954, INF),
        ],
        0.02,
    ),
    "quartic": (tl.zoo.quartic, [(-5.0, 0.0), (-32.0, INF)], 1e-4),
    "double_well_2": (lambda: tl.zoo.double_well(2), [(0.0, 1.0)] * 3 + [(0.0, INF)], 1e-6),
    "double_well_3": (lambda: tl.zoo.double_well(3), [(0.0, 1.0)] * 7 + [(0.0, INF)], 1e-6),
    "tilted_wells_1": (lambda: tl.zoo.tilted_wells(1), tilted_pairs(1), LADDER),
    "tilted_wells_2": (lambda: tl.zoo.tilted_wells(2), tilted_pairs(2), LADDER),
    "tilted_wells_3": (lambda: tl.zoo.tilted_wells(3), tilted_pairs(3), LADDER),
}


@pytest.mark.parametrize("name", CASES)
def test_the_survey_recovers_the_exact_pairs(name):
    make, exact, tolerance = CASES[name]
    survey = tl.survey(make(), seed=0)
    error = deltas(survey.diagrams[0], exact)
    print(f"{name}: largest error {error:.1e}, tolerance {tolerance:g}")
    assert error <= tolerance
    assert set(survey.minima.status) == {"minimum"}


@pytest.mark.parametrize("seed", [1, 2])
def test_other_seeds_and_a_langevin_cloud_find_the_same_tree(seed):
    energy = tl.zoo.mueller_brown()
    cloud = tl.sample(energy, samplers.Langevin(2e-5, 40.0), chains=60, steps=300, seed=seed)
    graph = tl.connect(energy, tl.quench(energy, cloud), seed=seed)
    assert deltas(tl.persistence(graph)[0], CASES["mueller_brown"][1]) <= 0.02


def test_straight_lines_alone_get_it_wrong():
    """Control: without a path search the barriers of Mueller-Brown are far too high."""
    energy = tl.zoo.mueller_brown()
    graph = tl.connect(energy, tl.quench(energy, tl.sample(energy, chains=60)), search=tl.paths.Straight())
    assert deltas(tl.persistence(graph)[0], CASES["mueller_brown"][1]) > 1


def test_too_few_starts_miss_a_basin_and_hits_tell():
    """Control: a cloud in one well finds one component; nothing claims that there are no others."""
    energy = tl.zoo.quartic()
    cloud = tl.sample(energy, start=torch.full((5, 1), -2.5))
    survey = tl.survey(energy, sample=lambda energy: cloud)
    assert len(survey.minima) == 1
    assert survey.minima.hits.tolist() == [5]
    assert survey.curve.proved.tolist() == [0]


def grid_bars(energy, n):
    ticks = torch.arange(n, dtype=torch.float64) / n
    values = energy(torch.cartesian_prod(ticks, ticks)).view(n, n).numpy()
    return tl.persistence(tl.cubical_merge_tree(values, periodic=True), min_persistence=1e-2)[0]


@pytest.mark.parametrize("seed", [1, 9, 104])
def test_fourier_landscapes_agree_with_the_exact_grid(seed):
    energy = tl.zoo.fourier(seed, dim=2)
    survey = tl.survey(energy, seed=0)
    found = tl.persistence(survey.graph, min_persistence=1e-2)[0]
    assert gudhi.bottleneck_distance(found, grid_bars(energy, 600)) <= 1e-2


@pytest.mark.slow
def test_fourier_benchmark():
    """All three blocks of seeds: ends with exit code 1 if fewer than 19 of 20 agree in one."""
    import subprocess
    import sys
    from pathlib import Path

    script = Path(__file__).resolve().parent.parent / "benchmarks" / "fourier.py"
    assert subprocess.run([sys.executable, str(script)], check=False).returncode == 0


def test_a_periodic_energy_lives_on_the_torus():
    survey = tl.survey(tl.zoo.fourier(1, dim=2), seed=0)
    assert bool(((survey.minima.points >= 0) & (survey.minima.points < 1)).all())
    flat = tl.Energy.from_function(tl.zoo.fourier(1, dim=2).function, 2, bounds=(0.0, 2.0))
    copies = tl.quench(flat, tl.sample(flat, chains=200))
    assert len(copies) > len(survey.minima), "without a period the copies in the next cells count as minima"

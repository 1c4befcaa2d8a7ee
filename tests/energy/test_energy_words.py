"""What `print` says of an energy."""

import torch

from tda_landscape.energy import Energy, datasets, networks, zoo


def test_an_energy_says_what_it_is_of():
    inputs, targets = datasets.load("iris")
    model = networks.mlp([4, 2, 3], activation="relu")
    loss = torch.nn.functional.cross_entropy
    energy = Energy.from_model(model, loss, (inputs, targets), weight_decay=0.01, batch_size=20)
    words = "energy of Sequential with cross_entropy on 150 rows, weight decay 0.01 in 19 dimensions, float64"
    assert str(energy) == repr(energy) == f"{words}, minibatches of 20 rows, kinks at Relu"
    assert str(zoo.fourier(1, dim=2)) == "energy in 2 dimensions on a torus, float64"
    assert str(zoo.double_well(3)) == "energy in 3 dimensions, float64"

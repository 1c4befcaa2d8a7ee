"""Settings of the whole test session."""

import torch

# The tests are made of small tensors: on a shared machine a second thread only waits for the first.
torch.set_num_threads(1)

# %% [markdown]
r"""# What does a machine with an energy learn?

A restricted Boltzmann machine gives every picture $v$ a probability, and can draw pictures from it. It has visible units,
the pixels, and hidden units $h$, and an energy that is low for pairs which belong together:

$$E(v, h) = -b^\top v - c^\top h - v^\top W h, \qquad p(v, h) = \frac{e^{-E(v, h)}}{Z}.$$

Summing over the hidden units leaves the free energy of a picture alone, $F(v) = -\log \sum_h e^{-E(v, h)}$, and with it

$$\log p(v) = -F(v) - \log Z, \qquad Z = \sum_v e^{-F(v)}.$$

$Z$ is a sum over all pictures, which is why most people never see a likelihood. For a machine with few hidden units it
can be computed all the same, and this notebook does. The data are the 1,797 digits of 8 x 8 pixels that come with
scikit-learn, so nothing is downloaded and all of it takes about a minute on one core.
"""

# %%
import math

import torch
from matplotlib import pyplot as plt
from PIL import Image

import untaught
from untaught.evaluate.drawing.pictures import filter_grid, grid
from untaught.evaluate.likelihood.partition import exact_partition

# %% [markdown]
"""
## Learn

Two machines see the same digits. One has 14 hidden units, few enough to sum over all of their states; the other has 200.
Pixels are binary to the machine: each is drawn anew in each step, with its grey value as the probability of a one.
The gradient of the likelihood has two parts: it lowers the energy of the data, and raises that of what the machine
itself draws. The draws come from Markov chains that go on from step to step.
"""

# %%
data = untaught.open_data("digits")
parts = data.parts()


def trained(hidden: int, epochs: int) -> untaught.Subject:
    """A machine with so many hidden units, and the data that it is measured on."""
    asked = untaught.Asked("rbm", {"hidden": hidden}, untaught.Training(epochs=epochs, learning_rate=0.05))
    plan = untaught.plan(asked, data)
    for _ in untaught.fit(plan):
        pass
    return plan.subject()


small, large = trained(14, epochs=150), trained(200, epochs=150)

# %% [markdown]
r"""
## How probable are the digits?

The hidden units of the small machine have $2^{14} = 16{,}384$ states. Since visible units are independent given the
hidden ones, the sum over all pictures inside each state is a product over pixels, and

$$Z = \sum_h e^{c^\top h} \prod_i \left(1 + e^{b_i + (W h)_i}\right).$$

Here it is in a few lines, and beside it what the package says.
"""

# %%
machine = small.model.double()
bits = torch.arange(14)
states = (torch.arange(2**14)[:, None] >> bits & 1).double()
with torch.no_grad():
    inputs = machine.visible_bias + states @ machine.weight.T
    log_z = torch.logsumexp(states @ machine.hidden_bias + torch.nn.functional.softplus(inputs).sum(1), 0).item()
    package = exact_partition(machine).item()
print(f"log Z by the sum above {log_z:.6f}, by the package {package:.6f}")

# %% [markdown]
"""
With $Z$ known, `untaught.measure` gives the exact log-likelihood of test digits in nats. For the large machine, where no
sum is possible, annealed importance sampling estimates $Z$ and says between which ends the truth probably lies. The
trivial answers: pixels that are independent of each other, and coin flips.
"""

# %%
found = {name: untaught.measure(one, ["likelihood"])["likelihood"] for name, one in (("small", small), ("large", large))}
for name, one in found.items():
    print(f"{name} machine      {one['log_likelihood_nats']:8.2f} nats per digit, {one['log_partition_kind']}")
for name, one in found["small"]["baselines"].items():
    print(f"{name.replace('_', ' '):18} {one['log_likelihood_nats']:8.2f}")

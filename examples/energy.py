# %% [markdown]
r"""# What does a machine with an energy learn?

A restricted Boltzmann machine gives every picture $v$ a probability, and can draw pictures from it. It has visible
units, the pixels, and hidden units $h$, and an energy that is low for pairs which belong together:

$$E(v, h) = -b^\top v - c^\top h - v^\top W h, \qquad p(v, h) = \frac{e^{-E(v, h)}}{Z}.$$

Summing over the hidden units leaves the free energy of a picture alone, $F(v) = -\log \sum_h e^{-E(v, h)}$, and with it

$$\log p(v) = -F(v) - \log Z, \qquad Z = \sum_v e^{-F(v)}.$$

$Z$ is a sum over all pictures, which is why most people never see a likelihood. For a machine with few hidden units it
can be computed all the same, and this notebook does. The data are the 1,797 digits of 8 x 8 pixels that come with
scikit-learn, so nothing is downloaded and all of it takes about a minute on one core.
"""

# %%
import torch
from matplotlib import pyplot as plt
from PIL import Image

import untaught
from untaught.evaluate.drawing.pictures import colours, enlarged, filter_grid, mosaic
from untaught.evaluate.likelihood.partition import exact_partition

# %% [markdown]
"""
## Learn

Two machines see the same digits. One has 14 hidden units, few enough to sum over all of their states; the other has
200. A third, with 200 as well, stops after three epochs; it is needed below. Pixels are binary to the machine: each
is drawn anew in each step, with its grey value as the probability of a one. The gradient of the likelihood has two
parts: it lowers the energy of the data, and raises that of what the machine itself draws. The draws come from Markov
chains that go on from step to step.
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


small, large, young = trained(14, epochs=300), trained(200, epochs=300), trained(200, epochs=3)

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
With $Z$ known, `untaught.measure` gives the exact log-likelihood of test digits in nats. For the large machine, where
no sum is possible, annealed importance sampling estimates $Z$. The trivial answers: pixels that are independent of each
other, and coin flips.
"""

# %%
found = {
    name: untaught.measure(one, ["likelihood"])["likelihood"] for name, one in (("small", small), ("large", large))
}
for name, one in found.items():
    print(f"{name} machine      {one['log_likelihood_nats']:8.2f} nats per digit, {one['log_partition_kind']}")
for name, one in found["small"]["baselines"].items():
    print(f"{name.replace('_', ' '):18} {one:8.2f}")

# %% [markdown]
"""
## Draw

To draw a picture, one draws the hidden units given the pixels, then the pixels given the hidden units, and so on: Gibbs
sampling. Here are ten chains of the large machine, which begin with independent pixels. Each column is one chain. The
last row shows the means of the pixels in place of the last draw.
"""

# %%
STEPS = (0, 1, 10, 100, 1000)


def walked(machine: untaught.RBM, begin: torch.Tensor, steps: tuple[int, ...]) -> list[torch.Tensor]:
    """Where chains are after each of the numbers of steps."""
    visible, seen = begin, []
    with torch.no_grad():
        for step in range(steps[-1] + 1):
            if step in steps:
                seen.append(visible)
            visible = machine.gibbs(visible)
    return seen


with untaught.seeded(0), torch.no_grad():
    net = large.model.float()
    looked = walked(net, net.base_draw(10), STEPS)
    looked.append(net.visible_given(net.hidden_given(looked[-1])))
rows = [[enlarged(picture, side=56) for picture in colours(some.view(-1, 1, 8, 8))] for some in looked]
Image.fromarray(mosaic(rows, [*(f"step {step}" for step in STEPS), "means"]))

# %% [markdown]
r"""
## Do the chains mix?

Draws are the machine's own only if the chains forget where they began. Let chains begin at test digits, and see how
much is left of them after $k$ steps,

$$r(k) = \frac{\sum_i (v_{k,i} - m_i)(v_{0,i} - m_i)}{\sum_i (v_{0,i} - m_i)^2},$$

where $m$ is the mean of the draws after many steps. A machine that has hardly learnt forgets within a few steps. The
better it knows the digits, the deeper the valleys between them, and the longer a chain stays in the one where it is.
This is why chains that go on through a training can fall behind it, and why one looks at them.
"""

# %%
LOOKED = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
with untaught.seeded(1):
    begin = torch.bernoulli(small.tested().x.flatten(1)[:200])
    left = {}
    for name, one in (("200 units, 3 epochs", young), ("14 units", small), ("200 units", large)):
        chains = torch.stack(walked(one.model.float(), begin, LOOKED))
        mean = chains[-1].mean(0)
        product = ((chains - mean) * (begin - mean)).sum((1, 2))
        left[name] = (product / product[0]).tolist()
figure, axes = plt.subplots(figsize=(7, 3.5))
for name, values in left.items():
    axes.plot(LOOKED[1:], values[1:], marker="o", label=name)
axes.set(xscale="log", xlabel="Gibbs steps", ylabel="what is left of the digit", ylim=(-0.05, 1))
axes.legend()
plt.show()

# %% [markdown]
"""
## Filters

The weights of a hidden unit are a picture: white where a pixel that is on speaks for the unit, black where it speaks
against it. Here are those of the small machine. Each unit must look after much of the data at once.
"""

# %%
Image.fromarray(filter_grid(small.model.float().filters()))

# %% [markdown]
"""
And here are 64 of the large one. Where there are many units, each can look after one stroke or one corner.
"""

# %%
Image.fromarray(filter_grid(large.model.filters()[:64]))

# %% [markdown]
"""
## Go on

The same from a terminal, with a page of pictures and measures:

```
untaught train rbm --data mnist --minutes 3 --out runs/rbm
untaught evaluate runs/rbm --measure likelihood
untaught sample runs/rbm --out samples.png
```

[A page](../docs/guides/classic-systems.md) shows what comes out, and [a table](../docs/tables/salakhutdinov2008.md)
what likelihoods the paper reports that brought annealed importance sampling to these machines. Its equations,
settings and sources are on [the machine's page](../docs/reference/models/rbm.md).
"""

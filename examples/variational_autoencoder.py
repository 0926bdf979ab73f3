# %% [markdown]
r"""# Why does a generator need an encoder?

An autoencoder gives each picture a code, and decodes codes. Could one draw a random code and decode it, to make a new
picture? Hardly: nothing has said where codes lie. A variational autoencoder says so. Its codes $z$ have a density, the
standard normal $p(z)$; its decoder is a density of pictures $p(x|z)$; and so every picture has a probability,

$$p(x) = \int p(x|z)\,p(z)\,dz.$$

The integral is what is hard about it. This notebook shows the obvious way to compute it, why that fails, and what an
encoder does about it. The data are the 1,797 digits of 8 x 8 pixels that come with scikit-learn, so nothing is
downloaded, and all of it takes about a minute on one core.
"""

# %%
import math

import torch
from matplotlib import pyplot as plt
from PIL import Image

import untaught
from untaught.evaluate.drawing.pictures import grid, mosaic
from untaught.evaluate.likelihood.importance import nested_bounds
from untaught.evaluate.measures.latent_space import interpolation, manifold

# %% [markdown]
r"""
## Learn

The encoder is a density too, $q(z|x)$, normal with a mean and a variance for each latent. For any $q$,

$$\log p(x) \;\ge\; \mathbb{E}_{q(z|x)}[\log p(x|z)] - \mathrm{KL}\big(q(z|x)\,\|\,p(z)\big),$$

and what the bound lacks is the divergence of $q(z|x)$ from the true $p(z|x)$. Encoder and decoder ascend it together.
Beside it a plain autoencoder, with as many numbers in its code, learns to give pictures back. Here pixels are grey, so
$p(x|z)$ is normal, with a mean between 0 and 1 and a variance of its own for each pixel.
"""

# %%
data = untaught.open_data("digits")


def trained(model: str, epochs: int, **fields: object) -> untaught.Subject:
    """A model of the digits, and the data that it is measured on."""
    plan = untaught.plan(untaught.Asked(model, fields, untaught.Training(epochs=epochs)), data)
    for _ in untaught.fit(plan):
        pass
    return plan.subject()


NETWORK = {"hidden": (200,), "output": "squashed", "deviation": 0.15}
variational = trained("vae", 100, latent=8, **NETWORK)
plain = trained("autoencoder", 100, latent=8, hidden=(200,), start="random", output="sigmoid")

# %% [markdown]
r"""
## The obvious way to compute the likelihood

Draw codes from the prior, and take the mean of $p(x|z)$. With $K$ draws,

$$\log p(x) \;\ge\; \mathbb{E}\Big[\log \tfrac1K \sum_k p(x|z_k)\Big], \qquad z_k \sim p(z).$$

The other way is to draw from the encoder, and to weigh each draw by $p(z_k)/q(z_k|x)$. Both rise with $K$ to the same
number, $\log p(x)$, for the same decoder. Here they are for test digits.
"""

# %%
COUNTS = (1, 10, 100, 1000, 5000)
vae = variational.model.eval()
x = variational.tested().x[:100]
with untaught.seeded(0), torch.no_grad():
    by_encoder = vae.log_weights(x, COUNTS[-1]).double()
    codes = torch.randn(COUNTS[-1], 8)
    by_chance = vae.outputs.log_density_of_each(vae.decoder(codes), x.flatten(1)).double()
bounds = {
    "draws from the encoder": nested_bounds(by_encoder, COUNTS).mean(1),
    "draws from the prior": nested_bounds(by_chance, COUNTS).mean(1),
}
for count, seen, blind in zip(COUNTS, *bounds.values(), strict=True):
    print(f"{count:5} draws: by the encoder {seen:8.1f} nats, by chance {blind:8.1f}")

# %%
figure, axes = plt.subplots(figsize=(6, 3.2))
for name, values in bounds.items():
    axes.plot(COUNTS, values, marker="o", label=name)
axes.set(xscale="log", xlabel="draws", ylabel="bound on log p(x), nats")
axes.set_ylim(bottom=float(bounds["draws from the prior"][1]))
axes.legend()
plt.show()

# %% [markdown]
r"""
How many of the draws carry the mean? With weights $w_k$ the effective number is $(\sum_k w_k)^2 / \sum_k w_k^2$. Nearly
all random codes say nothing of a given digit, so one of them carries the sum, and with it the gradient. A network that
learnt this way would hear of few pairs of a digit and a code.
"""

# %%
for name, weights in (("the encoder", by_encoder), ("the prior", by_chance)):
    shares = weights[:, :500].softmax(1)
    print(f"of 500 draws from {name}, {float((1 / shares.square().sum(1)).mean()):.1f} carry the likelihood")

# %% [markdown]
"""
## Make new digits

On the left, codes from the prior, decoded by the variational autoencoder. In the middle, the same numbers as codes of
the plain autoencoder: they do not lie where its codes lie. On the right, codes from a normal distribution that was
fitted to its codes of the training digits: the right place, but not the right shape.
"""

# %%
auto = plain.model.eval()
with untaught.seeded(1), torch.no_grad():
    noise = torch.randn(36, 8)
    known = plain.features(plain.pixels(plain.parts.train, 1000).x)
    spread = torch.linalg.cholesky(torch.cov(known.T) + 1e-6 * torch.eye(8))
    made = {
        "variational": vae.decode(noise),
        "plain, random": auto.decode(noise),
        "plain, fitted": auto.decode(known.mean(0) + noise @ spread.T),
    }
sheets = [grid(pictures, columns=6, side=40) for pictures in made.values()]
Image.fromarray(mosaic([sheets], (), tuple(made)))

# %% [markdown]
"""
How different from test digits are they? For each made digit the squared distance to the nearest training digit; test
digits themselves are the yardstick.
"""

# %%
train = variational.pixels(variational.parts.train, 2000).x.flatten(1)
with untaught.seeded(2), torch.no_grad():
    many = torch.randn(500, 8)
    drawn = {
        "test digits": variational.tested().x,
        "variational": vae.decode(many),
        "plain, random": auto.decode(many),
        "plain, fitted": auto.decode(known.mean(0) + many @ spread.T),
    }
for name, pictures in drawn.items():
    nearest = torch.cdist(pictures.flatten(1), train).square().min(1).values
    print(f"{name:14} {float(nearest.mean()):6.2f}")

# %% [markdown]
"""
## Between two digits

Codes on the line between those of two test digits, decoded.
"""

# %%
Image.fromarray(interpolation(variational, {}))

# %% [markdown]
"""
## A plane of digits

With two latents all that the model knows can be seen at once: each cell of this picture is as probable as any other.
"""

# %%
plane = trained("vae", 150, latent=2, **NETWORK)
plane.model.eval()
Image.fromarray(manifold(plane, {}))

# %% [markdown]
r"""
## The identity

What the bound lacks can be checked by hand where there are two latents: a sum over a fine lattice is the integral. For
one test digit, $\log p(x) - \mathrm{KL}(q(z|x)\,\|\,p(z|x))$ and the bound are the same number.
"""

# %%
exact = plane.model.double()
line = torch.linspace(-6, 6, 1200, dtype=torch.float64)
nodes, cell = torch.cartesian_prod(line, line), 2 * math.log(12 / 1199)
with torch.no_grad():
    digit = plane.tested().x[:1].double()
    log_density = exact.outputs.log_density(exact.decoder(nodes)[None], digit.flatten(1))[0]
    log_prior = -0.5 * nodes.square().sum(1) - math.log(2 * math.pi)
    log_p = torch.logsumexp(log_density + log_prior + cell, 0)
    mean, log_variance = exact.posterior(digit)
    log_q = -0.5 * ((nodes - mean).square() / log_variance.exp() + log_variance + math.log(2 * math.pi)).sum(1)
    q = (log_q + cell).exp()
    apart = (q * (log_q - (log_density + log_prior - log_p))).sum()
    bound = (q * log_density).sum() - exact.divergences((mean, log_variance)).sum()
print(f"log p(x) {log_p:.4f}, divergence {apart:.4f}: together {log_p - apart:.6f}; the bound {bound:.6f}")

# %% [markdown]
"""
## Go on

The same from a terminal, with a page of pictures and measures:

```
untaught train vae --data mnist --minutes 10 --out runs/vae
untaught evaluate runs/vae --measure likelihood latent_space
untaught sample runs/vae --out samples.png
```

The equations, settings and sources are on [the model's page](../docs/reference/models/vae.md), and
[a table](../docs/tables/burda2016.md) shows what more draws and more layers bring.
"""

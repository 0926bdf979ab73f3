# %% [markdown]
r"""# Why an adversary?

A generator turns noise into pictures. How should it learn? One way is to say how probable pictures are, and to raise
the probability of what it should make. Another is a game: a second network, the discriminator, learns to tell what the
generator makes from data, and the generator learns to be taken for data. This notebook shows on a line, in the plane
and on digits what the game does, and why it is not the same as likelihood. Nothing is downloaded, and all of it takes
about a minute on one core.
"""

# %%
import torch
from matplotlib import pyplot as plt
from PIL import Image
from torch import nn

import untaught
from untaught.data.sets.mixture import Options, centres
from untaught.evaluate.drawing.pictures import grid
from untaught.evaluate.measures.modes import counted
from untaught.evaluate.measures.samples import neighbours
from untaught.evaluate.samples.quadrature import Lattice, NormalMixture, nearest_normal
from untaught.model import Batch
from untaught.nn.adversarial.adversaries import Adversaries

# %% [markdown]
r"""
## Three ways to be near

Let $p$ be the density of the data, here two bumps on a line, and $q$ that of a generator which can only make one bump.
Which bump is nearest? It depends on how nearness is measured:

$$\mathrm{KL}(p\|q) = \int p \log\frac{p}{q}, \qquad \mathrm{KL}(q\|p) = \int q \log\frac{q}{p}, \qquad
\mathrm{JS} = \tfrac12 \mathrm{KL}(p\|m) + \tfrac12 \mathrm{KL}(q\|m), \quad m = \tfrac{p+q}{2}.$$

The first is what likelihood descends: it is infinite where $q$ misses any of $p$, so $q$ covers all, and most of what
it makes lies between the bumps, where there are no data. The second is infinite where $q$ makes what $p$ never does, so
$q$ keeps to one bump. The third, which the game descends, is never more than $\log 2$. On a line all of them are sums
over a fine lattice, and the nearest bump can be found exactly.
"""

# %%
line, pair = Lattice.of(1, reach=9.0, points=1801), NormalMixture(torch.tensor([[-3.0], [3.0]]), 0.6)
KINDS = {"forward": "KL(p || q)", "reverse": "KL(q || p)", "jensen_shannon": "JS"}
nearest = {kind: nearest_normal(kind, pair.log_density, line, ([-3.0], [0.1], [3.0])) for kind in KINDS}
where = line.at[:, 0]
figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), sharey=True, layout="constrained")
for axis, (kind, name) in zip(axes, KINDS.items(), strict=True):
    axis.fill_between(where, pair.log_density(line.at).exp(), color="0.85", label="p, the data")
    axis.plot(where, nearest[kind].density.log_density(line.at).exp(), color="C0", label="q, one bump")
    axis.set(title=f"least {name}: {nearest[kind].divergence:.2f} nats", xlabel="x", xlim=(-8, 8))
axes[0].set_ylabel("density")
axes[0].legend(frameon=False, loc="upper left", fontsize=8)
plt.show()

# %% [markdown]
r"""
## The game on a line

With $D(x)$ the discriminator's probability that $x$ is data, the discriminator raises

$$V = \langle \log D(x) \rangle_{x \sim p} + \langle \log(1 - D(x)) \rangle_{x \sim q},$$

and the best it can do is $D = p / (p + q)$, where $V = 2\,\mathrm{JS}(p, q) - \log 4$. So a generator that lowers $V$
lowers the Jensen-Shannon divergence, without anybody computing a density. When $q$ is $p$, $D$ is one half everywhere
and $V$ is $-\log 4 = -1.39$. Here is the game, a step of each player in turn.
"""


# %%
def game(spec: str, steps: tuple[int, ...], **fields: object) -> tuple[object, dict[int, dict[str, torch.Tensor]]]:
    """Play on a source, and keep all weights at some steps."""
    x = untaught.open_data(spec).train
    data = x.frames.read(x.first)
    networks = {"generator": (64, 64), "discriminator": (64, 64), "output": "linear", **fields}
    with untaught.seeded(0):
        model = untaught.GAN(untaught.GAN.Config(networks=Adversaries(**networks)), x.shape)
        movers = {name: torch.optim.Adam(own(model, name), 1e-3, betas=(0.5, 0.99)) for name in model.players}
        kept: dict[int, dict[str, torch.Tensor]] = {}
        for step in range(steps[-1] + 1):
            if step in steps:
                kept[step] = {name: value.clone() for name, value in model.state_dict().items()}
            for mover in movers.values():
                for group in mover.param_groups:
                    group["lr"] = 1e-3 * (1 - step / (steps[-1] + 1))
            for name, mover in movers.items():
                mover.zero_grad()
                batch = Batch.of(data[torch.randint(len(data), (256,))])
                model.loss(batch, name, torch.tensor(0.0)).total.backward()
                mover.step()
    return model, kept


def own(model: nn.Module, player: str) -> list[nn.Parameter]:
    """What a player moves."""
    return [value for name, value in model.named_parameters() if name.startswith(player)]


LINE = "mixture?layout=line&modes=2&spacing=6&deviation=0.6&train=20000"
MOMENTS = (0, 100, 400, 3000)
on_line, at_steps = game(LINE, MOMENTS, latent=1)

# %% [markdown]
"""
The data are grey, what the generator makes is blue, and the orange line is the discriminator: high where it believes in
data. The dashed line is the best one for what the generator makes at that moment; the discriminator follows it
roughly, since the generator moves on while it learns. The generator goes where the orange line is high, and there the
line sinks. In the end it is near one half wherever there are data.
"""

# %%
bins = torch.linspace(-8, 8, 81)
middle, width = (bins[1:] + bins[:-1]) / 2, float(bins[1] - bins[0])
p = pair.log_density(middle[:, None].double()).exp()
figure, axes = plt.subplots(1, 4, figsize=(11, 2.7), sharey=True, layout="constrained")
for axis, (step, weights) in zip(axes, at_steps.items(), strict=True):
    on_line.load_state_dict(weights)
    with untaught.seeded(1), torch.no_grad():
        made = on_line.sample(50_000)[:, 0]
        judged = on_line.judged(middle[:, None]).sigmoid()
    q = torch.histogram(made, bins).hist.double() / (len(made) * width)
    best = p / (p + q)
    seen = p + q > 0.01
    axis.fill_between(middle, p, color="0.85")
    axis.plot(middle, q, color="C0")
    axis.plot(middle, judged, color="C1")
    axis.plot(middle[seen], best[seen], color="0.4", linestyle="--", linewidth=1)
    axis.set(title=f"after {step:,} steps", xlabel="x", ylim=(0, 1.05))
axes[0].set_ylabel("density, or D")
final = judged
plt.show()

# %% [markdown]
"""
## The game in the plane

Eight bumps on a ring. Dots are what the generator makes, crosses the middles of the bumps; the colour is the
discriminator, from blue, where it is sure of a forgery, to red, where it is sure of data.
"""

# %%
RING = Options(layout="ring", modes=8, spacing=2.0, deviation=0.15)
ring = centres(RING)
MOMENTS_2 = (0, 200, 1000, 6000)
in_plane, at_steps = game("mixture?layout=ring&modes=8&spacing=2&deviation=0.15", MOMENTS_2, latent=2)
side = torch.linspace(-4, 4, 81)
points = torch.cartesian_prod(side, side)
figure, axes = plt.subplots(1, 4, figsize=(11, 3), sharey=True, layout="constrained")
for axis, (step, weights) in zip(axes, at_steps.items(), strict=True):
    in_plane.load_state_dict(weights)
    with untaught.seeded(1), torch.no_grad():
        made, judged = in_plane.sample(1000), in_plane.judged(points).sigmoid().view(81, 81)
    axis.imshow(judged.T, origin="lower", extent=(-4, 4, -4, 4), cmap="coolwarm", vmin=0, vmax=1, alpha=0.6)
    axis.scatter(made[:, 0], made[:, 1], s=4, color="black", linewidths=0)
    axis.scatter(ring[:, 0], ring[:, 1], s=40, marker="+", color="white", linewidths=1.5)
    axis.set(title=f"after {step:,} steps", xlim=(-4, 4), ylim=(-4, 4))
plt.show()

# %% [markdown]
r"""
## Without an adversary

What if the discriminator did not learn? Let it know the density of the data from the beginning, and let the generator
raise $\langle \log p(G(z)) \rangle$. Nothing keeps what it makes apart: the best answer is a single point, the most
probable one. The discriminator that learns is different. Where all samples go, there it learns to see a forgery.
"""

# %%
density = NormalMixture(ring, 0.15)
with untaught.seeded(0):
    alone = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    mover = torch.optim.Adam(alone.parameters(), 1e-3)
    for _ in range(1500):
        mover.zero_grad()
        (-density.log_density(alone(torch.randn(256, 2))).mean()).backward()
        mover.step()
    with torch.no_grad():
        made = {"against the density": alone(torch.randn(1000, 2)), "against a discriminator": in_plane.sample(1000)}
found = {name: counted(x.double(), ring.double(), 0.15) for name, x in made.items()}
figure, axes = plt.subplots(1, 2, figsize=(6, 3), sharey=True, layout="constrained")
for axis, (name, x) in zip(axes, made.items(), strict=True):
    axis.scatter(ring[:, 0], ring[:, 1], s=60, marker="+", color="0.6")
    axis.scatter(x[:, 0], x[:, 1], s=5, color="C0", linewidths=0)
    axis.set(title=name, xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
    modes, good = found[name]["modes_covered"], found[name]["high_quality"]
    print(f"{name:24} {modes} of 8 bumps, {100 * good:.0f} % of the samples within three deviations of one")
plt.show()

# %% [markdown]
"""
## Digits

The same game with 64 pixels in place of two numbers: the 1,797 digits of 8 x 8 pixels that come with scikit-learn.
"""

# %%
digits = untaught.open_data("digits")
plan = untaught.plan(untaught.Asked("gan", {}, untaught.Training(epochs=80)), digits)
for _ in untaught.fit(plan):
    pass
subject = plan.subject()
with untaught.seeded(0), torch.no_grad():
    drawn = plan.model.eval().sample(60)
Image.fromarray(grid(drawn, columns=15, side=40))

# %% [markdown]
"""
Are they new? Behind each sample the four training digits that are nearest to it.
"""

# %%
with untaught.seeded(1):
    near = neighbours(subject, {})
Image.fromarray(near)

# %% [markdown]
"""
## Go on

The same from a terminal. `modes` says which bumps of a mixture samples cover, `samples` what digits drawn by a game
have in common with real ones:

```
untaught train gan --data mixture --latent 2 --epochs 20 --out runs/bumps
untaught evaluate runs/bumps --measure modes
untaught train gan --data mnist --minutes 10 --out runs/gan
untaught evaluate runs/gan --measure samples
```

The equations, settings and sources are on [the model's page](../docs/reference/models/gan.md), and
[a table](../docs/tables/donahue2017.md) shows what games cover of 25 bumps in a lattice.
"""

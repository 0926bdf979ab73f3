# %% [markdown]
"""# What does an autoencoder learn?

An autoencoder learns without labels: it is shown pictures, squeezes each into a few numbers, the code, and learns to
make the picture again from them. This notebook trains one, looks at what it learnt, puts principal component analysis
beside it, and then asks whether what was learnt without labels helps where labels are few.

The data are the 1,797 digits of 8 x 8 pixels that come with scikit-learn, so nothing is downloaded and all of it takes
less than a minute on one core. With `open_data("mnist")` it is MNIST, with `open_data("photos", size=28)` a folder of
your own pictures, whose sub-folders are the classes; many pictures want fewer epochs, few want more, and what is said
of the numbers here is said of the small digits.
"""

# %%
from copy import deepcopy

import torch
from matplotlib import pyplot as plt
from PIL import Image
from sklearn.decomposition import PCA

import untaught
from untaught.evaluate.drawing.pictures import colours, enlarged, filter_grid, grid, mosaic
from untaught.evaluate.evaluate import measures
from untaught.evaluate.measures.map import neighbours_accuracy

# %% [markdown]
"""
## Data

A source has three parts: one to learn from, one to choose the best moment of a training, and one to measure on.
"""

# %%
data = untaught.open_data("digits")
parts = data.parts()
print(f"each picture is {data.shape}: channels, height, width")
print(f"{len(parts.train)} to learn from, {len(parts.validation)} to select, {len(parts.test)} to measure on")

# %% [markdown]
"""
## Learn

Two hidden layers lead down to twelve numbers, and two lead up again. `fit` is a generator: your own `for` loop sees
every record, and after the last one the model has the weights that were best on the part that selects.
"""

# %%
LAYERS, CODE = (200, 100), 12


def trained(numbers: int) -> untaught.Autoencoder:
    """An autoencoder with a code of so many numbers."""
    with untaught.seeded(0):
        model = untaught.Autoencoder(untaught.Autoencoder.Config(latent=numbers, hidden=LAYERS), data.shape)
    held_out = []
    for record in untaught.fit(model, data, untaught.Training(epochs=60, learning_rate=3e-3)):
        if record.held_out:
            held_out.append(record.held_out["total"])
    print(f"{numbers} numbers: squared error per held-out image from {held_out[0]:.2f} down to {min(held_out):.2f}")
    return model


model = trained(CODE)

# %% [markdown]
"""
## Look: what comes back

A `Subject` is a model and the data that it is measured on. Here are ten test digits, what the autoencoder makes of
their twelve numbers, and what principal component analysis (PCA) makes of twelve numbers of its own. All that PCA can
draw lies on a plane through the mean picture; what the autoencoder can draw lies on a surface that may bend.
"""

# %%
subject = untaught.Subject(model, parts, model.view, label_names=data.label_names)
learnt = subject.pixels(parts.train, most=len(parts.train)).x.flatten(1)
test = subject.tested()
x, label = test.x, test.label

copies = subject.apply(model.reconstruct, x)
pca = PCA(CODE).fit(learnt)
plane = torch.from_numpy(pca.inverse_transform(pca.transform(x.flatten(1)))).float().view_as(x)

rows = [[enlarged(picture, side=56) for picture in colours(some[:10])] for some in (x, copies, plane)]
Image.fromarray(mosaic(rows, ("digit", "autoencoder", "PCA")))

# %% [markdown]
"""
## PCA beside it

PCA is the best that a linear map can do with as many numbers. The error is the sum of squared differences over the
pixels of a picture, mean over the test digits. The autoencoder's is the lower one.
"""

# %%
error = {
    "autoencoder": float((x - copies).square().flatten(1).sum(1).mean()),
    "PCA": float((x - plane).square().flatten(1).sum(1).mean()),
    "mean image": float((x.flatten(1) - learnt.mean(0)).square().sum(1).mean()),
}
for name, value in error.items():
    print(f"{name:12} {value:.2f} per image")
print(f"the autoencoder's error is {1 - error['autoencoder'] / error['PCA']:.0%} below PCA's")

# %% [markdown]
"""
## Look: filters

Weights of the first hidden layer, a square for each unit: where it is white the unit wants ink, where it is black it
wants none, and grey does not matter to it. They look like the noise that they began from: nothing obliges a single
unit to be tidy, and what was learnt lies in all of them together. On the right are the filters of a restricted
Boltzmann machine. It begins from weights near zero, and a cost keeps them there where they are of no use, so only
strokes and spots stand out. Filters tell as much of how a network is held as of what it learnt. The number is how
alike neighbouring weights are: 0 for noise, near 1 where weights change slowly.
"""

# %%
with untaught.seeded(0):
    machine = untaught.RBM(untaught.RBM.Config(hidden=60, weight_cost=1e-3), data.shape)
for _ in untaught.fit(machine, data, untaught.Training(epochs=60, learning_rate=0.1)):
    pass


def alike(filters: torch.Tensor) -> float:
    """Correlation of weights with those to their right."""
    centred = filters - filters.mean((1, 2, 3), keepdim=True)
    return float((centred[..., 1:] * centred[..., :-1]).mean() / centred.square().mean())


likeness = {"autoencoder": alike(model.filters()), "Boltzmann machine": alike(machine.filters())}
print(", ".join(f"{name} {value:.2f}" for name, value in likeness.items()))
sheets = [filter_grid(some.filters(), most=36, side=40) for some in (model, machine)]
Image.fromarray(mosaic([sheets], column_names=tuple(likeness)))

# %% [markdown]
"""
## Look: a map

With a code of only two numbers the code itself is a map. Each test digit is written where its code lies, on the left
by an autoencoder, on the right by PCA with two components. Neither was told what the digits are; the colours are put
on afterwards. `neighbours_accuracy` says how often most of the ten nearest neighbours on the map are the same digit.
"""

# %%
flat = trained(2)
flat_subject = untaught.Subject(flat, parts, flat.view)
maps = {"autoencoder": flat_subject.features(x), "PCA": torch.from_numpy(PCA(2).fit(learnt).transform(x.flatten(1)))}
order = {name: neighbours_accuracy(found.double(), label) for name, found in maps.items()}

figure, panels = plt.subplots(1, 2, figsize=(9, 4.4))
for axes, (name, found) in zip(panels, maps.items(), strict=True):
    for (across, up), digit in zip(found.tolist(), label.tolist(), strict=True):
        axes.text(across, up, str(digit), color=f"C{digit}", ha="center", va="center", fontsize=8)
    axes.update_datalim(found.numpy())  # texts do not count by themselves
    axes.autoscale_view()
    axes.set(xticks=[], yticks=[])
    axes.set_title(f"{name}: neighbours agree for {order[name]:.0%}")
plt.tight_layout()
plt.show()

# %% [markdown]
"""
The other way round, `decode` says what lies at any place of the left map, also where no digit was: one digit turns
into another on the way.
"""

# %%
low, high = (maps["autoencoder"].quantile(part, dim=0) for part in (0.02, 0.98))
up, across = torch.linspace(1, 0, 12), torch.linspace(0, 1, 14)
places = low + torch.cartesian_prod(up, across).flip(1) * (high - low)
with torch.no_grad():
    made = flat.decode(places)
Image.fromarray(grid(made, columns=14, side=32))

# %% [markdown]
"""
## Few labels

Say that all these digits are at hand, but somebody has named only one of each class, or three, or ten. Five
classifiers learn from the same names and by the same number of steps:

- `fine-tuned`: a softmax layer on the autoencoder's encoder, first alone, then the encoder learns with it;
- `frozen`: the same softmax layer, and the encoder stays as it is;
- `from scratch`: the same layers, from random weights;
- `without the narrow layer`: as from scratch, but without the layer of twelve units, so that 100 features reach the
  softmax layer;
- `pixels`: a softmax layer on the pixels, which is the trivial answer.

`labels_per_class` hides all other labels; the seed draws which are left. Of ten labels two select and are not learnt
from. Fine-tuning changes the encoder that it is given, so each classifier gets a copy.
"""

# %%
Classifier, classes = untaught.FinetunedClassifier, len(data.label_names)


def encoder() -> untaught.Encoding:
    """A copy of the trained autoencoder's encoder."""
    return untaught.Encoding(deepcopy(model))


kinds = {
    "fine-tuned": lambda: Classifier(Classifier.Config(classes=classes), data.shape, encoder=encoder()),
    "frozen": lambda: Classifier(Classifier.Config(classes=classes, fine_tuning=False), data.shape, encoder=encoder()),
    "from scratch": lambda: Classifier(Classifier.Config(classes=classes, hidden=(*LAYERS, CODE)), data.shape),
    "without the narrow layer": lambda: Classifier(Classifier.Config(classes=classes, hidden=LAYERS), data.shape),
    "pixels": lambda: untaught.Softmax(untaught.Softmax.Config(classes=classes), data.shape),
}
LABELS, DRAWS, STEPS = (1, 3, 10), 3, 80


def error_rate(kind: str, labels: int, draw: int) -> float:
    """Part of the test digits that a classifier gives a wrong name, having learnt from so many labels of each."""
    with untaught.seeded(draw):
        net = kinds[kind]()
    # So few labels make a single batch, so an epoch is a step; two stages share them.
    rates = {stage.name: 3e-3 for stage in net.stages() if stage.name == "joint"}
    training = untaught.Training(
        epochs=STEPS / len(net.stages()), stage_learning_rates=rates, labels_per_class=labels, seed=draw
    )
    for _ in untaught.fit(net, data, training):
        pass
    return untaught.measure(untaught.Subject(net, parts, net.view), ["classification"])["classification"]["error_rate"]


rates = {kind: [[error_rate(kind, n, draw) for draw in range(DRAWS)] for n in LABELS] for kind in kinds}
means = {kind: [sum(draws) / DRAWS for draws in row] for kind, row in rates.items()}
print("wrong names, mean over draws of the labels")
print(" " * 26 + "".join(f"{f'{n} of each':>12}" for n in LABELS))
for kind, row in means.items():
    print(f"{kind:26}" + "".join(f"{value:12.1%}" for value in row))

# %%
figure, axes = plt.subplots(figsize=(7, 4))
for kind, row in means.items():
    axes.plot(LABELS, [100 * value for value in row], marker="o", label=kind)
axes.set(xscale="log", xticks=LABELS, xticklabels=LABELS, ylim=(0, None))
axes.set(xlabel="labels of each class", ylabel="wrong names in %")
axes.minorticks_off()
axes.legend()
plt.show()

# %% [markdown]
"""
The network that began from the autoencoder is ahead of the same network from random weights, whatever the number of
labels. That is not the whole truth: without the narrow layer a network from scratch is nearer to the fine-tuned one
than to its own narrow twin, and softmax on the pixels, which has no hidden layer, is ahead of that twin as well. So
on these small and tidy pictures learning without labels mostly makes good what the narrow layer costs, which a
comparison with the narrow twin alone would have hidden. How the others rank among each
other a few draws of the labels cannot tell. Where pretraining helps, and where it does not, is measured at
length in [a table of its own](../docs/tables/erhan2010.md).
"""

# %% [markdown]
"""
## Measure

`untaught.measure` takes every measure that fits a model and its data, or those that are named, and puts the trivial
answers beside each. Here: what is lost on the way through the code, how often the nearest of the training digits in
the space of codes have the right name, and how well digits of one class find each other by their codes. Random
weights are far behind; for names and neighbours the twelve numbers do about as well as all 64 pixels, and so does PCA.
"""

# %%
found = untaught.measure(subject, ["reconstruction", "probe", "retrieval"])
SHOWN = {
    "reconstruction": "squared_error_per_image",
    "probe": "nearest_neighbours_accuracy",
    "retrieval": "mean_average_precision",
}
for measure, number in SHOWN.items():
    print(f"{measure}: {number}")
    for name, one in measures()[measure].read(found[measure])[number].all.items():
        print(f"    {name:26}{one.value:.3f}")

# %% [markdown]
"""
## Go on

The same from a terminal, with a page of pictures and measures for each run:

```
untaught train autoencoder --data mnist --latent 30 --minutes 5 --out runs/autoencoder
untaught train finetuned-classifier --data mnist --encoder runs/autoencoder --labels-per-class 10 --out runs/classifier
untaught evaluate runs/classifier
```

Other models that learn without labels, `denoising-autoencoder` or `rbm` for instance, take the autoencoder's place by
their name alone: all of them encode.
"""

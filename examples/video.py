# %% [markdown]
"""# What does a network learn from video?

Nobody has to label a video: the next frame is the label. This notebook trains a network to predict it, looks at what it
predicts, puts the trivial answers beside it, and then asks what the network's state knows that no single frame shows.

Name a video of yours in `CLIP` and it is about that one. Without a name it is about bouncing balls, which are
generated here, so that nothing is downloaded. Their true places and velocities are known, which the last part needs.
All of it takes about a minute on one core.
"""

# %%
import torch
from matplotlib import pyplot as plt
from PIL import Image

import untaught
from untaught.evaluate.drawing.illustrate import predicted_clips
from untaught.evaluate.drawing.pictures import colours, enlarged, grid, mosaic, prediction_strip
from untaught.evaluate.evaluate import measures
from untaught.evaluate.footage import footage

CLIP = ""  # the path of a video, for example "holiday.mp4"
EPOCHS = 3

# %% [markdown]
"""
## Data

A source of video has clips of frames. The end of a video, or the last clips of several, are held out: the first part is
learnt from, a small one chooses the best moment of the training, and the last is measured on. Here are frames of the
first clip, every third of them.
"""

# %%
data = (
    untaught.open_data(CLIP, size=64) if CLIP else untaught.open_data("balls?clips=200&validation=20&test=20&size=20")
)
parts = data.parts()
print(f"each frame is {data.shape}: channels, height, width")
counts = [part.length.sum().item() for part in (parts.train, parts.validation, parts.test)]
print("frames to learn from, to select and to measure on:", *counts)

first = footage(parts.train, untaught.PGN.view, most_frames=100).frames[:30:3]
Image.fromarray(grid(first, columns=10))

# %% [markdown]
r"""
## Learn

`Asked` says what is wanted, `plan` chooses by the data what is left open, and `fit` is a generator: your own `for` loop
sees every record. The loss that is printed is that of clips which the network does not learn from. It is a sum over the
pixels of a frame,

$$e = \sum_p (x_p - \hat{x}_p)^2,$$

with pixels $x_p$ from 0 (black) to 1 (white).
"""

# %%
training = untaught.Training(minutes=3) if CLIP else untaught.Training(epochs=EPOCHS)
plan = untaught.plan(untaught.Asked("pgn", training=training), data)
for record in untaught.fit(plan):
    if record.held_out:
        print(f"step {record.step}: squared error per held-out frame {record.held_out['total']:.2f}")

# %% [markdown]
"""
## Look

A subject is a model and the data that it is measured on. The network sees ten frames of a clip that is new to it.
Then it goes on alone: what it predicts is what it sees next. Above are the true frames, in the middle the predicted
ones, below the difference between the two, brightened.
"""

# %%
subject = plan.subject()
clips = predicted_clips(subject)
Image.fromarray(prediction_strip(clips))

# %% [markdown]
"""
## The trivial answers beside it

Whoever predicts video should be asked how well it does without a network: by repeating the last frame, by going on in
straight lines, by a linear map of the last two frames. `untaught.measure` puts all of them beside the model.
"""

# %%
found = untaught.measure(subject, ["prediction"])
error = measures()["prediction"].read(found["prediction"])["squared_error_per_frame"].all
for name, one in sorted(error.items(), key=lambda item: item[1].value):
    print(f"{name:26}{one.value:8.2f}")

# %%
rollout = measures()["prediction"].read(found["prediction"])["rollout"].all
figure, axes = plt.subplots(figsize=(7, 3.5))
for name, one in rollout.items():
    if name in ("model", "ridge_4_frames", "linear_extrapolation", "previous_frame"):
        ahead = range(1, len(one.value) + 1)
        axes.plot(ahead, one.value, linewidth=3 if name == "model" else 1, label=name.replace("_", " "))
axes.set(
    xticks=range(0, 21, 5),
    xlabel="frames ahead, the later ones from its own predictions",
    ylabel="squared error per frame",
    ylim=(0, None),
)
axes.legend()
plt.show()

# %% [markdown]
"""
One frame ahead the network is the best of all. The further it goes alone, the larger its error becomes: it sees its own
predictions, and small errors add up. In the end the linear map has the smaller error. It fades to the mean picture,
which is never far off, while the network goes on drawing whole balls, by then in the wrong places.

## What its state knows

`encode` gives the features after a few frames: the state from which the next frame is drawn. Moments that the network
takes for alike are those whose features are near to each other. In each column: the last frame of a test window, and
below it the last frames of the three training windows with the nearest features.
"""

# %%
WINDOW = 5
searched, queries = (subject.pixels(part, most, WINDOW).x for part, most in ((parts.train, 2000), (parts.test, 8)))
distance = torch.cdist(subject.features(queries), subject.features(searched))
nearest = distance.topk(3, largest=False).indices
shown = [queries[:, -1], *searched[nearest, -1].unbind(1)]
rows = [[enlarged(picture, side=60) for picture in colours(some)] for some in shown]
Image.fromarray(mosaic(rows, ("test", "nearest", "second", "third")))

# %% [markdown]
"""
Where the true variables of a video are known, as they are for the balls, one can ask more precisely: how well does a
linear map read them off the features? $R^2$ is 1 where it reads them exactly, and 0 where the mean would do as well.
A single frame shows where balls are. It does not show how they move, and that is what a network has to know in order to
predict.
"""

# %%
if parts.test.latents:
    found |= untaught.measure(subject, ["decode"])
    known = measures()["decode"].read(found["decode"])["r2"].all
    print(" " * 20 + "".join(f"{name:>12}" for name in known["model"].value))
    for name, one in known.items():
        print(f"{name:20}" + "".join(f"{value:12.2f}" for value in one.value.values()))

# %% [markdown]
"""
The velocities are nowhere in the pixels of a frame: a linear map of the last one finds nothing. The state of a network
with random weights holds some of them, for it remembers the frames before. Training about doubles that, though nobody
told the network of velocities: they help to predict.

## Go on

The same from a terminal, with a page of pictures and measures:

```
untaught train pgn --data clip.mp4 --minutes 3 --out runs/clip
untaught evaluate runs/clip
untaught predict runs/clip --data clip.mp4 --out next.mp4
```

[A page](../docs/guides/video.md) says what to expect of videos from a camera, and
[a table](../docs/tables/lotter2015.md) what the paper reports that this network comes from.
"""

r"""The likelihood of a model with latent variables by 5,000 importance samples, as papers report it.

The same as `likelihood`, at ten times its cost on a processor: with z_k drawn from q(z|x) and K = 5,000,

    log p(x) >= < log 1/K sum_k p(x, z_k) / q(z_k|x) >                                     (1)

Of a model with at most 64 continuous latents the likelihood of 10 test examples is also estimated by annealing, which
does not depend on the encoder (`latent_annealing`): `annealed_nats`, beside (1) of the same examples. Where annealing
is higher, the encoder misses parts of the posterior. The measure is taken where it is asked for by name.

References:
    Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

from __future__ import annotations

from untaught.evaluate.likelihood.importance import importance_bounds
from untaught.evaluate.likelihood.latent_annealing import annealed_log_likelihood
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.measures.likelihood import EFFECTIVE, ELBO, NATS, Effort, caution, likelihood
from untaught.evaluate.quantity import Quantity
from untaught.evaluate.subject import Subject
from untaught.model import LatentVariable, Scores
from untaught.nn.noise import bernoulli

DRAWS = 5_000
ANNEALED_EXAMPLES, MOST_ANNEALED, TEMPERATURES = 10, 64, 200
ANNEALED = Quantity(
    "annealed_nats",
    title="log-likelihood of a few by annealing",
    unit="nats per example",
    better="higher",
    meaning="The log-likelihood of a few test examples by annealed importance sampling of their latents, which does "
    "not depend on the encoder; beside it importance sampling of the same examples.",
)


def applies(subject: Subject) -> str | None:
    """None for models with latent variables whose likelihood cannot be had otherwise."""
    model = subject.model
    if isinstance(model, LatentVariable) and not isinstance(model, Scores):
        return None
    return "the model has no latent variables whose approximate posterior can be drawn from"


def measure(subject: Subject) -> Groups:
    """Equation (1), mean over test examples, beside trivial models."""
    groups = [*likelihood(subject, Effort(draws=DRAWS))]
    model = subject.model
    assert isinstance(model, LatentVariable)
    x = subject.tested(ANNEALED_EXAMPLES).x[:ANNEALED_EXAMPLES]
    x = subject.seen(bernoulli(x) if subject.view.binarise else x).to(subject.device)
    latent = model.posterior_sample(x[:1])[0].shape[1]
    if model.continuous and latent <= MOST_ANNEALED:
        annealed = annealed_log_likelihood(model.log_joint, x, latent, temperatures=TEMPERATURES)
        weighed = importance_bounds(model.log_weights, x, DRAWS).nats
        groups.append([ANNEALED.of(float(annealed.mean()), None, {"importance_sampling": float(weighed.mean())})])
    return groups


MEASURE = Measure(
    title="How probable the data are, by many draws",
    meaning="The log-likelihood of test examples by 5,000 draws of each one's latent variables.",
    applies=applies,
    measure=measure,
    whole=True,
    quantities=(NATS, ELBO, EFFECTIVE, ANNEALED),
    by_name=True,
    caution=caution,
)

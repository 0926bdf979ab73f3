"""The page about a run: whole, self-contained, escaped, and there whatever is missing."""

from __future__ import annotations

import base64
import json
import re
import shutil
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image

import untaught
from untaught.cli import COMMANDS
from untaught.config import to_json
from untaught.errors import RunError
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.judgement.verdict import Verdict
from untaught.evaluate.measures.active_units import QUANTITIES
from untaught.model import model_class
from untaught.report import record_evaluation, record_verdict, write_report
from untaught.report.charts import STAND_INS, Line, lines
from untaught.report.learning_curves import training_section
from untaught.report.measures import headline, measure_section
from untaught.report.next_steps import USUAL, next_steps
from untaught.runs.run import build, create_run, open_run
from untaught.runs.settings import Settings, Training
from untaught.training.fit import train

OPEN = {"meta", "img", "br", "path", "use", "rect"}
"""Elements that need not be closed."""


class Reader(HTMLParser):
    """Follows the tags of a page, and gathers what it says and what it asks for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.within: list[str] = []
        self.told: list[str] = []
        self.asked: list[str] = []
        self.feed(page)
        assert not self.within, f"not closed: {self.within}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens, and addresses in its attributes."""
        assert tag != "script"
        self.asked += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        if tag not in OPEN:
            self.within.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that closes itself may ask for something too."""
        self.asked += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        """The innermost element closes."""
        if tag not in OPEN:
            assert self.within.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text outside of the style sheet."""
        if "style" not in self.within:
            self.told.append(data)

    @property
    def text(self) -> str:
        """All that is said, in one line."""
        return re.sub(r"\s+", " ", " ".join(self.told))


def trained(path: Path, model: str, spec: str, **config: Any) -> Path:
    """A run of one short training."""
    source = untaught.open_data(spec)
    held = to_json(model_class(model).Config(**config))
    view = model_class(model).view
    training = Training(epochs=4, view=None if view.frames is None else {"frames": 4})
    settings = Settings(model=model, shape=source.shape, config=held, data=source.spec, training=training)
    run = create_run(path, settings, f"untaught train {model} --data '{spec}'")
    train(build(settings), source, training, run)
    return path


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on pictures, evaluated and reported."""
    path = trained(tmp_path_factory.mktemp("runs") / "digits", "autoencoder", "digits", latent=4)
    record_evaluation(path, evaluate(path, ["reconstruction", "cluster"]), data="digits")
    write_report(path)
    return path


@pytest.fixture
def run(pictured: Path, tmp_path: Path) -> Path:
    """A copy of it to take apart."""
    return Path(shutil.copytree(pictured, tmp_path / "copy"))


def read(path: Path) -> Reader:
    return Reader(write_report(path).read_text(encoding="utf-8"))


def test_the_page_has_every_part(run: Path) -> None:
    page, last = read(run), open_run(run).records()[-1]
    arithmetic = f"{last['threads']} thread{'s' if last['threads'] > 1 else ''}, {last['precision']}"
    for part in ("autoencoder trained on digits", "squared error per image", "the mean of the training data",
                 "PCA with as many components", "SSIM", "Groups found without labels", "raw pixels", "Training",
                 "held-out data", "Next to try", arithmetic,
                 "How it was made", "untaught train autoencoder --data 'digits'", "torch", '"latent": 4'):  # fmt: skip
        assert part in page.text, part
    found = evaluate(run, ["reconstruction"])["reconstruction"]
    assert page.text.index(f"{found['squared_error_per_image']:.3g}") < page.text.index("What comes back")


def test_nothing_is_asked_from_the_network(run: Path) -> None:
    page = read(run)
    assert page.asked and all(address.startswith(("data:image/", "#")) for address in page.asked)
    assert sum(address.startswith("data:image/png;base64,") for address in page.asked) >= 2
    style = (run / "report.html").read_text(encoding="utf-8").split("</style>")[0]
    assert "url(" not in style and "@import" not in style


@pytest.mark.slow
def test_video_shows_its_film_and_rollout(tmp_path: Path) -> None:
    path = trained(tmp_path / "balls", "pgn", "balls?clips=12&validation=10&test=10&frames=8&size=12", units=4)
    record_evaluation(path, evaluate(path))
    page = read(path)
    films = [address for address in page.asked if address.startswith("data:image/gif;base64,")]
    film = Image.open(BytesIO(base64.b64decode(films[0].partition(",")[2])))
    assert getattr(film, "n_frames", 1) == 4 + 4, "of 4 frames given all, and the 4 that follow"
    assert (path / "pictures" / "prediction.png").is_file(), "a still for print"
    assert "@media print{.film" in (path / "report.html").read_text()
    for part in ("What comes next", "copying the last frame", "frames ahead", "What the representation knows"):
        assert part in page.text, part


def test_what_is_missing_is_left_out(run: Path) -> None:
    for part in ("evaluation.json", "metrics.jsonl", "environment.json"):
        (run / part).unlink()
    shutil.rmtree(run / "pictures")
    shutil.rmtree(run / "checkpoints")
    page = read(run)
    assert "Not evaluated yet" in page.text and "has no whole checkpoint" in page.text
    assert not page.asked


def test_a_run_that_was_not_evaluated_shows_its_loss(run: Path) -> None:
    (run / "evaluation.json").unlink()
    held_out = [record["held_out"] for record in open_run(run).records() if record["held_out"]][-1]
    assert f"{held_out['squared_error_per_image']:.3g} squared error per image on held-out data" in read(run).text


def judgement(run: Path, standing: Literal["better", "worse"], **changed: str) -> None:
    """Keep a verdict."""
    found = Verdict("reconstruction", "held out, 7 examples: the error is <b>3</b>", standing)
    path = record_verdict(run, found, ["--minutes 5 (its error was still falling)"] if found.trivial else [])
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def test_the_verdict_stands_on_top_with_what_to_try(run: Path) -> None:
    judgement(run, "worse")
    page = read(run)
    told = "Held out, 7 examples: the error is <b>3</b>."
    assert page.text.index(told) < page.text.index("What to try:") < page.text.index("--minutes 5") < 400
    assert 'class="verdict worse"' in (run / "report.html").read_text() and page.text.count(told) == 1
    judgement(run, "better")
    assert "What to try" not in read(run).text and 'class="verdict better"' in (run / "report.html").read_text()


@pytest.mark.parametrize(
    "content", ["{", pytest.param("[]", marks=pytest.mark.slow), pytest.param('{"words": 3}', marks=pytest.mark.slow)]
)
def test_a_verdict_that_is_damaged_or_about_other_weights_is_none(run: Path, content: str) -> None:
    judgement(run, "worse", checkpoint="another")
    assert "the error is" not in read(run).text
    (run / "verdict.json").write_text(content)
    assert "What to try" not in read(run).text and "squared error per image" in read(run).text


def test_commands_that_come_next_name_the_run_and_what_it_can_do(run: Path) -> None:
    told = dict(next_steps(open_run(run), {*USUAL, "unusual"}))
    assert list(told)[0] == f"untaught evaluate {run}" and f"untaught unusual {run} --out unusual.png" in told
    commands = [line.split()[1] for line in told]
    assert commands == ["evaluate", "unusual", "reconstruct", "encode"], "an autoencoder neither predicts nor samples"
    assert set(USUAL) <= set(COMMANDS) and "unusual" not in [
        line.split()[1] for line, _ in next_steps(open_run(run), USUAL)
    ]
    page = read(run).text
    assert page.index("Made by") < page.index("Next to try") < page.index("What comes back")


def test_pictures_come_before_measures(run: Path) -> None:
    page = (run / "report.html").read_text()
    assert page.index("<h1>") < page.index("<figure") < page.index("<h2>")


@pytest.mark.parametrize("content", ["{", "[]", '{"measures": 3}', '{"measures": {"probe": null}}', "{}"])
def test_a_damaged_evaluation_is_no_evaluation(run: Path, content: str) -> None:
    (run / "evaluation.json").write_text(content)
    assert "Not evaluated yet" in read(run).text


def test_everything_is_escaped(run: Path) -> None:
    """A name, a value, a command and a caption that would be a script are shown as they are."""
    bad = "<script>alert(1)</script>"
    known = {"squared_error_per_image": 1.5, "note": bad, "baselines": {bad: 2.5}}
    record_evaluation(run, {bad: {"note": bad, bad: 1.0}, "reconstruction": known}, data=bad)
    about = json.loads((run / "environment.json").read_text())
    (run / "environment.json").write_text(json.dumps({**about, "command": bad, "processor": bad}))
    shutil.copy(run / "pictures" / "filters.png", run / "pictures" / "<b>bold.png")
    page = read(run)
    assert page.text.count(bad) >= 5
    assert "<b>bold" in (run / "report.html").read_text().replace("&lt;", "<").replace("&gt;", ">")


def test_pictures_are_drawn_once_for_a_checkpoint(run: Path) -> None:
    drawn = run / "pictures" / "reconstruction.png"
    drawn.write_bytes(drawn.read_bytes() + b"kept")
    write_report(run)
    assert drawn.read_bytes().endswith(b"kept")
    (run / "pictures" / "drawn.json").write_text('{"checkpoint": "another"}')
    write_report(run)
    assert not drawn.read_bytes().endswith(b"kept")


def test_training_shows_how_pictures_changed(run: Path) -> None:
    """Of five steps the first, the middle and the last; other folders are left alone."""
    for name in ("train-00000010", "train-00000020", "train-00000030", "train-00000040", "train-00000500", "other"):
        shutil.rmtree(run / "pictures" / name, ignore_errors=True)
        (run / "pictures" / name).mkdir()
        shutil.copy(run / "pictures" / "reconstruction.png", run / "pictures" / name)
    told = re.findall(r"After [\d,]+ steps[^.]*\.", read(run).text)
    assert [told[0], told[-1]] == ["After 10 steps.", "After 500 steps."] and len(told) == 3


def test_data_that_are_gone_are_told(run: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "data": "no-such-file.npy"}))
    (run / "pictures" / "drawn.json").unlink()
    page = read(run)
    assert "Pictures could not be drawn" in page.text and "no-such-file.npy" in page.text
    assert "squared error per image" in page.text


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        write_report(tmp_path)
    with pytest.raises(RunError):
        record_evaluation(tmp_path, {})
    assert not list(tmp_path.iterdir())


def test_an_evaluation_is_kept_as_json(run: Path) -> None:
    path = record_evaluation(run, {"cluster": {"error": 1.0}}, data="digits", step=3)
    assert json.loads(path.read_text()) == {
        "run": str(run), "data": "digits", "step": 3, "measures": {"cluster": {"error": 1.0}},
    }  # fmt: skip


def test_charts_take_the_pages_colours() -> None:
    chart = lines({"one": Line([1, 2, 3], [1.0, float("nan"), 3.0]), "two": Line([1], [2.0])}, "across", "up")
    assert not any(stand_in in chart for stand_in in STAND_INS.values())
    assert "var(--accent)" in chart and "var(--muted)" in chart
    assert all(f">{word}</text>" in chart for word in ("one", "two", "across", "up"))
    assert "nan" not in chart
    assert re.search(r"<svg[^>]*viewBox", chart) and not re.search(r"<svg[^>]* width=", chart)


def test_what_is_not_finite_does_not_change_the_axis() -> None:
    """Values from 1 to 1000 stand on a logarithmic axis, whatever else there is."""
    chart = lines({"one": Line([1, 2, 3], [float("nan"), 1.0, 1000.0])}, "across", "up")
    assert ">10</text>" in chart and ">100</text>" in chart


def test_charts_without_points_are_drawn() -> None:
    assert lines({"none": Line([], [])}, "across", "up").startswith("<svg")


def test_the_total_is_shown_only_where_it_is_none_of_the_parts() -> None:
    """Two records of a loss of two parts, and of a loss that is its one part."""

    def records(**parts: float) -> list[dict[str, Any]]:
        return [{"stage": "train", "seconds": n, "losses": {"loss": 3.0, **parts}, "held_out": {}} for n in (0, 1)]

    assert training_section(records(error=1.0, penalty=2.0)).count("<h3>") == 3
    assert training_section(records(error=3.0)).count("<h3>") == 1
    assert training_section([]) == training_section(records()[:1]) == ""


def test_stages_are_told_apart() -> None:
    records = [{"stage": stage, "seconds": n, "losses": {"loss": 1.0}} for stage in ("first", "second") for n in (0, 1)]
    section = training_section(records)
    assert "Loss, stage first" in section and "Loss, stage second" in section


def test_the_headline_is_the_first_main_quantity_that_is_one_number() -> None:
    prediction = {"clips": 3, "squared_error_per_frame": 1.2345, "baselines": {"mean_frame": 3.0, "ridge_1_frame": 2.0}}
    told = "The mean frame: 3. The best of the trivial ones, linear map of the last frame: 2."
    decode = {"r2": {"angle": 0.5}, "baselines": {"raw_pixels": {"angle": 0.25}}}
    units = {"active_units_fraction": 0.5, "baselines": {"random_weights": {"active_units_fraction": 0.25}}}
    first = {"decode": decode, "active_units": units, "of another version": prediction, "prediction": prediction}
    assert headline(first) == ("1.23", "squared error per frame", told)
    probe = {
        "ridge_accuracy": 0.9,
        "baselines": {"raw_pixels": {"ridge_accuracy": 0.95}, "pca": {"ridge_accuracy": 0.5}},
    }
    assert headline({"probe": probe}) == ("90.0 %", "accuracy of a ridge classifier", "Raw pixels: 95.0 %.")
    assert headline({"decode": decode, "active_units": units}) is None and headline({}) is None


def test_curves_and_tables_stand_beside_their_baselines() -> None:
    rollout = {"rollout": [1.0, 2.0], "rollout_baselines": {"ridge_1_frame": [2.0, 2.5], "ridge_2_frames": [2.0, 2.5]}}
    chart = Reader(measure_section("prediction", rollout)).text
    assert all(word in chart for word in ("frames ahead", "this model", "linear map of the last 2 frames"))
    assert "last frame" not in chart, "of predictors in several sizes the last is drawn"
    decode = {"r2": {"first_angle": 0.9}, "baselines": {"raw_pixels": {"first_angle": 0.1}}}
    assert "first angle 0.90 0.10" in Reader(measure_section("decode", decode)).text
    ends = {"log_likelihood_nats": -5.0, "log_likelihood_nats_low": None, "baselines": {"coin_flips": -6.0}}
    assert "lower end of its error bar, nats: infinite" in Reader(measure_section("likelihood", ends)).text


def test_rows_with_other_baselines_have_columns_of_their_own() -> None:
    stored = {"squared_error_per_image": 1.0, "psnr_db": 20.0, "cross_entropy_nats": 3.0, "baselines": {"pca": 2.0}}
    beside = {"psnr_db_baselines": {"pca": 19.0}, "cross_entropy_nats_baselines": {"unigram": 4.0}}
    told = Reader(measure_section("reconstruction", stored | beside)).text
    assert "PSNR, dB 20 19 –" in told and "Cross-entropy, nats 3 – 4" in told


def test_a_direction_is_told_only_where_there_is_one() -> None:
    spread = {"lowest": -1.0, "highest": 1.0}
    units = {"activation_mean": 0.1, "activation_of_units": spread, "active_units": 3}
    told = Reader(measure_section("active_units", {**units, "baselines": {"random_weights": units}})).text
    assert "Units that are active 3 3" in told and "is better" not in told
    every = {one.name: 0.5 for one in QUANTITIES if one.axis is None} | {"activation_of_units": spread}
    assert (
        "is better"
        not in Reader(measure_section("active_units", {**every, "baselines": {"random_weights": every}})).text
    )
    ratio = {"gradient_energy_ratio": 0.5, "squared_error_per_frame": 2.0}
    told = Reader(measure_section("sharpness", {**ratio, "baselines": {"previous_frame": ratio}})).text
    assert told.count("Lower is better.") == 1 and "Higher is better." not in told


def test_numbers_below_zero_have_bars_too() -> None:
    error = {"squared_error_per_image": 2.0, "baselines": {"pca": 1.0}}
    quality = {"psnr_db": -0.5, "psnr_db_baselines": {"pca": 0.25}}
    told = measure_section("reconstruction", error | quality)
    assert re.findall(r'mini" style="width:([\d.]+)%', told) == ["50.0", "25.0"]


def test_rows_of_numbers_have_no_pixels() -> None:
    stored = {"squared_error_per_image": 2.0, "baselines": {"pca": 3.0}}
    told = Reader(measure_section("reconstruction", stored, vectors=True)).text
    assert "Squared error per example" in told and not re.search("pixel|picture|image", told)
    assert "pixels" in Reader(measure_section("reconstruction", stored)).text


def test_an_estimate_that_hangs_on_few_runs_says_so() -> None:
    def likelihood(effective: float) -> str:
        facts = {"log_likelihood_nats": -5.0, "effective_runs": effective, "runs": 20}
        return Reader(measure_section("likelihood", {**facts, "baselines": {"coin_flips": -6.0}})).text

    assert "not to be trusted: of 20 annealing runs 1.3 carry the estimate" in likelihood(1.3)
    assert "trusted" not in likelihood(15.0)


def test_what_this_version_does_not_know_is_told_by_its_name() -> None:
    told = Reader(measure_section("old_measure", {"some_error": 2.0, "baselines": {"mean": 3.0}})).text
    assert told == "Old measure some error: 2; baselines: mean 3"
    assert "surprise: 7" in Reader(measure_section("prediction", {"squared_error_per_frame": 2.0, "surprise": 7})).text

"""A real browser drives every panel; one short test of them is quick, the others are slow."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accessibility import violations
from PIL import Image
from small_runs import data_file, small_run

from untaught.runs.run import Run, open_run

pytest.importorskip("playwright", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("there is no Chromium", allow_module_level=True)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
READ = """canvas => Array.from(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)"""
CHANNELS = """
names => {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = colour => {
    probe.clearRect(0, 0, 1, 1); probe.fillStyle = colour; probe.fillRect(0, 0, 1, 1);
    return Array.from(probe.getImageData(0, 0, 1, 1).data.slice(0, 3));
  };
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(names.map(name => [name, rgb(style.getPropertyValue(name))]));
}
"""
UNNAMED = """
() => [...document.querySelectorAll("button, input, select, canvas, [role=tab], [role=application], img")]
  .filter(one => !one.closest("[hidden]") && !one.hidden && one.getAttribute("aria-hidden") !== "true")
  .filter(one => !(one.getAttribute("aria-label") || one.alt || one.textContent.trim() || one.labels?.length))
  .filter(one => !one.closest("button[aria-label]"))
  .map(one => one.outerHTML)
"""


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        held = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield held
        held.close()


@pytest.fixture(scope="module")
def served() -> Generator[Callable[[Run], str]]:
    """A server in a thread for a run; gives its address."""
    import uvicorn

    from untaught.explorer.application import application
    from untaught.explorer.serving import free_socket

    running: list[tuple[uvicorn.Server, threading.Thread, socket.socket]] = []
    known: dict[Path, str] = {}

    def serve(run: Run) -> str:
        if run.path not in known:
            held = free_socket(21000)
            app = application(run, held.getsockname()[1])
            server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
            thread.start()
            running.append((server, thread, held))
            known[run.path] = f"http://127.0.0.1:{held.getsockname()[1]}/"
        return known[run.path]

    yield serve
    for server, thread, held in running:
        server.should_exit = True
        thread.join(10)
        held.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """A small run of a model, made once."""
    known: dict[tuple[str, int], Run] = {}

    def make(model: str, side: int = 8, **config: Any) -> Run:
        if (model, side) not in known:
            known[model, side] = small_run(tmp_path_factory.mktemp(model), model, side, **config)
        return known[model, side]

    return make


@pytest.fixture
def opened(browser: Any, served: Callable[[Run], str], made: Callable[..., Run]) -> Generator[Callable[..., Any]]:
    """Opens a page on a panel; afterwards nothing was said on the console and nothing asked of another host."""
    pages: list[Any] = []
    faults: list[str] = []

    def open_panel(of: str | Run, panel: str, width: int = 1280, scheme: str = "light") -> Any:
        address = served(of if isinstance(of, Run) else made(of))
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.on("console", lambda said: faults.append(said.text) if is_fault(said) else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else faults.append(asked.url))
        page.goto(f"{address}#{panel}")
        page.wait_for_selector(f"#panel-{panel}:not([hidden]) h2")
        return page

    yield open_panel
    for page in pages:
        page.close()
    assert not faults


def is_fault(said: Any) -> bool:
    """Whether a line on the console tells of a fault: these tests read canvases often, and send bad files."""
    expected = ("willReadFrequently", "400 (Bad Request)")
    return said.type in ("error", "warning") and not any(words in said.text for words in expected)


def pixels(page: Any, label: str) -> np.ndarray[Any, Any]:
    """What a canvas shows, by its label."""
    return np.array(page.get_by_label(label, exact=True).first.evaluate(READ)).reshape(-1, 4)


def settled(page: Any, label: str) -> np.ndarray[Any, Any]:
    """The same once the canvas is painted and no longer changes."""
    page.wait_for_selector(f"[aria-label='{label}'][data-painted]")
    before = pixels(page, label)
    for _ in range(50):
        page.wait_for_timeout(60)
        after = pixels(page, label)
        if np.array_equal(before, after):
            return after
        before = after
    raise AssertionError(f"{label} goes on changing")


def wait_until(page: Any, happened: Callable[[], bool]) -> None:
    """Wait at most ten seconds."""
    for _ in range(100):
        if happened():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not happen")


CURVES = "#panel-training .curves"
CHECKPOINT = "fetch('/api/about').then(answer => answer.json()).then(about => about.checkpoint)"
PICTURE = "The picture that the code decodes to"
MAP = "#panel-latent [role=application]"


def test_the_picture_changes_under_the_mouse_and_one_slider_changes_one_direction(opened: Callable[..., Any]) -> None:
    page = opened("rbm", "latent")
    begun = settled(page, PICTURE)
    bodies: list[bytes] = []
    page.on("request", lambda asked: bodies.append(asked.post_data_buffer) if asked.url.endswith("/decode?") else None)
    box = page.locator(MAP).bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.9 * box["height"])
    page.wait_for_timeout(50)
    assert not np.array_equal(settled(page, PICTURE), begun)
    slider = page.locator("#panel-latent .sliders input").first
    slider.fill("2")
    settled(page, PICTURE)
    codes = [np.frombuffer(body, "<f4") for body in bodies]
    assert (codes[-1] != codes[-2]).sum() == 1  # of the units that the code has
    others = page.locator("#panel-latent .sliders input").evaluate_all("some => some.map(one => one.value)")
    assert others[0] == "2" and set(others[1:]) <= {"0"}


@pytest.mark.slow
def test_the_map_is_frozen_walked_and_interpolated(opened: Callable[..., Any]) -> None:
    page = opened("vae", "latent")
    settled(page, PICTURE)
    box = page.locator(MAP).bounding_box()

    def to(x: float, y: float) -> None:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

    to(0.1, 0.1)
    page.mouse.down()
    page.mouse.up()
    frozen = settled(page, PICTURE)
    to(0.9, 0.9)
    assert np.array_equal(settled(page, PICTURE), frozen)
    page.get_by_text("Keep as A").click()
    page.locator(MAP).press("Enter")
    to(0.95, 0.9)
    other = settled(page, PICTURE)
    page.get_by_text("Keep as B").click()
    page.locator("input[aria-label='from A to B']").fill("0")
    assert np.array_equal(settled(page, PICTURE), frozen)
    page.locator("input[aria-label='from A to B']").fill("1")
    assert np.array_equal(settled(page, PICTURE), other)
    page.get_by_role("button", name="Random walk").click()
    page.wait_for_timeout(400)
    assert not np.array_equal(pixels(page, PICTURE), other)
    page.get_by_role("button", name="Random walk").click()
    page.locator(MAP).press("ArrowLeft")
    settled(page, PICTURE)


@pytest.mark.slow
def test_a_dropped_picture_comes_back_and_is_steered_from(opened: Callable[..., Any], tmp_path: Path) -> None:
    page = opened("vae", "latent")
    settled(page, PICTURE)
    bright = np.zeros((64, 64), np.uint8)
    bright[16:40, 16:40] = 255
    Image.fromarray(bright).save(tmp_path / "mine.png")
    page.locator("#panel-latent input[type=file]").set_input_files(tmp_path / "mine.png")
    page.wait_for_selector("[aria-label='What the run gives back'][data-painted]")
    assert settled(page, "Your picture as the run sees it")[:, 0].reshape(8, 8)[3, 3] == 255
    back = settled(page, "What the run gives back")
    assert np.abs(settled(page, PICTURE).astype(int) - back.astype(int)).max() <= 1
    assert page.locator("#panel-latent .drop .tiles figure").count() == 12
    (tmp_path / "bad.png").write_bytes(b"no picture")
    page.locator("#panel-latent input[type=file]").set_input_files(tmp_path / "bad.png")
    page.wait_for_selector("#status.shown")
    assert "no picture" in page.locator("#status").inner_text()


@pytest.mark.slow
def test_a_file_that_is_dropped_is_taken(opened: Callable[..., Any]) -> None:
    page = opened("vae", "examples")
    held = io.BytesIO()
    Image.new("L", (30, 30), 200).save(held, "PNG")
    transfer = page.evaluate_handle(
        """bytes => { const held = new DataTransfer();
        held.items.add(new File([new Uint8Array(bytes)], "a.png", { type: "image/png" })); return held; }""",
        list(held.getvalue()),
    )
    page.wait_for_selector("#panel-examples .drop")
    page.dispatch_event("#panel-examples .drop", "drop", {"dataTransfer": transfer})
    assert settled(page, "Your picture as the run sees it")[:, 0].max() == 200


@pytest.mark.slow
def test_what_is_drawn_stays_while_the_chains_run(opened: Callable[..., Any]) -> None:
    page = opened("rbm", "chains")
    page.wait_for_selector("[aria-label='The first chain'][data-painted]")
    box = page.locator("#panel-chains [role=application]").bounding_box()
    cell = box["width"] / 8
    page.mouse.move(box["x"] + 1.5 * cell, box["y"] + 2.5 * cell)
    page.mouse.down()
    page.mouse.move(box["x"] + 6.5 * cell, box["y"] + 2.5 * cell, steps=20)
    page.mouse.up()
    page.wait_for_timeout(300)
    seen = []
    for _ in range(6):
        page.wait_for_timeout(120)
        seen.append(pixels(page, "The first chain")[:, 0].reshape(8, 8))
    assert all((one[2, 1:7] == 255).all() for one in seen)
    assert any(not np.array_equal(one, seen[0]) for one in seen)
    page.get_by_text("Let all go").click()
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Run", exact=True).click()
    assert not all(value == 255 for value in settled(page, "The first chain")[:, 0].reshape(8, 8)[2, 1:7])


@pytest.mark.slow
def test_a_class_is_drawn_on_demand(opened: Callable[..., Any]) -> None:
    page = opened("discriminative-rbm", "chains")
    page.get_by_role("button", name="b", exact=True).click()
    page.wait_for_timeout(300)
    page.click("#tab-draws")
    page.wait_for_selector("#panel-draws [data-painted]")
    settled(page, "Sample 24")
    names = [f"Sample {number}" for number in range(1, 25)]
    before = [pixels(page, name) for name in names]
    page.locator("#panel-draws").get_by_role("button", name="c", exact=True).click()
    wait_until(page, lambda: not np.array_equal([pixels(page, name) for name in names], before))


@pytest.mark.slow
def test_a_clip_is_scrubbed_and_its_state_pushed(opened: Callable[..., Any]) -> None:
    page = opened("pgn", "clips")
    came = settled(page, "The frame that came")
    page.locator("#panel-clips input[aria-label=frame]").fill("9")
    assert not np.array_equal(settled(page, "The frame that came"), came)
    assert "squared error" in page.locator("#panel-clips").inner_text()
    assert "expecting no change" in page.locator("#panel-clips .verdict").inner_text()
    page.wait_for_selector("[aria-label='The next frame from the pushed state'][data-painted]")
    assert np.array_equal(
        settled(page, "The next frame as predicted"), settled(page, "The next frame from the pushed state")
    )
    page.locator("#panel-clips input[aria-label=deviations]").fill("4")
    page.wait_for_timeout(200)
    moved = settled(page, "The next frame from the pushed state")
    assert not np.array_equal(settled(page, "The next frame as predicted"), moved)


@pytest.mark.slow
def test_examples_are_pointed_at_and_gathered(opened: Callable[..., Any]) -> None:
    page = opened("vae", "examples")
    page.wait_for_timeout(500)
    box = page.locator("#panel-examples [role=application]").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    settled(page, "The example that is pointed at")
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    for x, y in ((0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.02)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
    page.mouse.up()
    settled(page, "Mean of the group")
    settled(page, "What the mean code of the group decodes to")
    assert "12 examples" in page.locator("#panel-examples .card").first.inner_text()
    for method in ("mds", "tsne"):
        page.locator("#panel-examples select").first.select_option(method)
        page.wait_for_selector("#panel-examples select:enabled", timeout=20_000)
    page.locator("#panel-examples select").nth(1).select_option("0")
    page.get_by_role("button", name="Pictures as points").click()
    page.locator("#panel-examples [role=application]").press("ArrowRight")
    page.locator("#panel-examples [role=application]").press("Enter")
    wait_until(page, lambda: "10 examples" in page.locator("#panel-examples .card").first.inner_text())


@pytest.mark.slow
def test_layers_are_looked_at_and_the_training_followed(opened: Callable[..., Any]) -> None:
    page = opened("pgn", "layers")
    page.wait_for_selector("#panel-layers .tiles button")
    page.locator("#panel-layers .tiles button").nth(1).click()
    page.wait_for_selector("#panel-layers .card .tiles figure")
    page.locator("#panel-layers select").first.select_option("hidden")
    page.locator("#panel-layers input[aria-label=example]").fill("1")
    page.click("#tab-training")
    wait_until(page, lambda: "step 1" in page.locator("#panel-training .verdict").inner_text())


STEP = re.compile(r"step ([\d,]+)")


def step_of(page: Any) -> int:
    """The step of the training that the page tells; 0 where it tells none."""
    found = STEP.search(page.locator("#panel-training .verdict").inner_text())
    return int(found[1].replace(",", "")) if found else 0


@pytest.fixture
def training(tmp_path: Path) -> Generator[Run]:
    """A run that another process trains meanwhile; there is a record already."""
    folder = tmp_path / "run"
    command = ["train", "rbm", "--data", str(data_file(tmp_path)), "--minutes", "2", "--hidden", "16"]
    trainer = subprocess.Popen([sys.executable, "-m", "untaught", *command, "--out", str(folder)])
    for _ in range(600):
        if (folder / "metrics.jsonl").is_file() and open_run(folder).count_records():
            break
        time.sleep(0.1)
    assert trainer.poll() is None
    yield open_run(folder)
    assert trainer.poll() is None, "it had ended before the page was looked at"
    trainer.kill()
    trainer.wait(60)


@pytest.mark.slow
def test_a_training_is_followed_while_it_runs(opened: Callable[..., Any], training: Run) -> None:
    """Its step, curves and pictures go on without a hand; newer weights are shown once they are asked for."""
    page = opened(training, "training")
    wait_until(page, lambda: step_of(page) > 0)
    begun, drawn = step_of(page), page.locator(CURVES).inner_html()
    wait_until(page, lambda: step_of(page) > begun)
    wait_until(page, lambda: page.locator(CURVES).inner_html() != drawn)
    wait_until(page, lambda: page.locator("#panel-training .wall img").count() > 0)
    page.wait_for_selector("#panel-training button:has-text('newer weights'):visible", timeout=30_000)
    known = page.evaluate(CHECKPOINT)
    with page.expect_navigation():
        page.get_by_text("Explore the newer weights").click()
    assert page.evaluate(CHECKPOINT) != known


@pytest.mark.slow
def test_a_generator_is_steered_and_gives_a_class_on_demand(opened: Callable[..., Any]) -> None:
    page = opened("conditional-gan", "latent")
    begun = settled(page, PICTURE)
    box = page.locator(MAP).bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.9 * box["height"])
    page.wait_for_timeout(50)
    moved = settled(page, PICTURE)
    assert not np.array_equal(moved, begun)
    page.locator("#panel-latent .sliders input").first.fill("2")
    page.wait_for_timeout(50)
    slid = settled(page, PICTURE)
    assert not np.array_equal(slid, moved)
    page.locator("#panel-latent").get_by_role("button", name="c", exact=True).click()
    wait_until(page, lambda: not np.array_equal(pixels(page, PICTURE), slid))
    assert page.locator("#panel-latent .drop").count() == 0, "no picture has a code"


PANELS = [
    ("conditional-gan", ("latent",)),
    ("rbm", ("latent", "chains", "draws", "examples", "layers", "training")),
    ("pgn", ("clips", "examples", "layers")),
]


@pytest.mark.slow
@pytest.mark.parametrize("width", [375, 1280, 3840])
@pytest.mark.parametrize(("model", "panels"), PANELS, ids=[model for model, _ in PANELS])
def test_every_panel_fits_and_everything_has_a_name(
    opened: Callable[..., Any], model: str, panels: tuple[str, ...], width: int
) -> None:
    """No sideways scrolling, no unnamed control; tabs are tabs, and arrow keys go from one to the next."""
    page = opened(model, panels[0], width=width)
    for panel in panels:
        page.click(f"#tab-{panel}")
        page.wait_for_timeout(600)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(UNNAMED) == []
        assert page.locator(f"#panel-{panel}").get_attribute("aria-labelledby") == f"tab-{panel}"
        assert page.locator("[role=tab][aria-selected=true]").get_attribute("aria-controls") == f"panel-{panel}"
        assert page.locator("#panels > section:not([hidden])").count() == 1
    first = page.locator("[role=tab]").first
    first.click()
    first.press("ArrowRight")
    assert page.locator("[role=tab]").nth(1).get_attribute("aria-selected") == "true"
    assert page.locator("h1").count() == 1 and page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.slow
@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("model", "panels"), PANELS, ids=[model for model, _ in PANELS])
def test_axe_finds_nothing_serious(
    opened: Callable[..., Any], model: str, panels: tuple[str, ...], scheme: str, width: int
) -> None:
    page = opened(model, panels[0], width=width, scheme=scheme)
    for panel in panels:
        page.click(f"#tab-{panel}")
        page.wait_for_timeout(600)
        assert violations(page) == [], panel
    page.evaluate("document.getElementById('theme').removeAttribute('aria-label')")
    page.evaluate("document.getElementById('theme').textContent = ''")
    assert [one["id"] for one in violations(page)] == ["button-name"], "it would find a button without a name"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(opened: Callable[..., Any], scheme: str) -> None:
    """Contrast of at least 4.5 to 1, as the guidelines for accessible pages ask of text."""
    page = opened("rbm", "draws", scheme=scheme)
    names = ["--ink", "--muted", "--paper", "--card", "--accent", "--on-accent"]
    found = page.evaluate(CHANNELS, names)
    pairs = [("--ink", "--paper"), ("--ink", "--card"), ("--muted", "--paper"), ("--muted", "--card")]
    for ink, paper in [*pairs, ("--on-accent", "--accent"), ("--accent", "--paper")]:
        assert contrast(found[ink], found[paper]) >= 4.5, (ink, paper)
    page.click("#theme")
    other = page.evaluate(CHANNELS, names)
    assert (sum(other["--paper"]) > sum(found["--paper"])) == (scheme == "dark")


def contrast(one: list[int], other: list[int]) -> float:
    """The ratio of relative luminances, as WCAG 2 defines it."""

    def luminance(colour: list[int]) -> float:
        parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.slow
def test_the_layout_does_not_jump(opened: Callable[..., Any]) -> None:
    page = opened("rbm", "latent")
    settled(page, PICTURE)
    page.evaluate(
        """() => { window.shifts = 0; new PerformanceObserver(list => list.getEntries().forEach(one => {
        window.shifts += one.value; })).observe({ type: "layout-shift" }); }"""
    )
    box = page.locator(MAP).bounding_box()
    for step in range(30):
        page.mouse.move(box["x"] + box["width"] * step / 30, box["y"] + box["height"] / 2)
    page.get_by_text("Keep as A").click()
    page.wait_for_timeout(400)
    assert page.evaluate("window.shifts") < 0.01


@pytest.fixture
def apart(tmp_path: Path) -> Generator[str]:
    """A server of its own process, as a person has it, for a decoder of 784 pixels; gives its address."""
    run = small_run(tmp_path, "vae", 28, latent=10, hidden=[500, 500])
    command = [sys.executable, "-m", "untaught", "explore", str(run.path), "--port", "23000", "--no-open"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    yield server.stdout.readline().split(" is at ")[1].split()[0]
    server.send_signal(signal.SIGINT)
    server.wait(60)


def spent_on_moves(page: Any, moves: int) -> list[float]:
    """Milliseconds from each movement of the mouse to its picture."""
    box = page.locator(MAP).bounding_box()
    page.evaluate("performance.clearMeasures()")
    for step in range(moves):
        x, y = 0.5 + 0.45 * np.cos(step / 9), 0.5 + 0.45 * np.sin(step / 7)
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        time.sleep(0.02)
    page.wait_for_timeout(300)
    return page.evaluate("performance.getEntriesByName('picture').map(one => one.duration)")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="interrupts are sent as POSIX does")
def test_the_picture_follows_the_mouse_at_once(browser: Any, apart: str, capsys: pytest.CaptureFixture[str]) -> None:
    """From the movement to the new picture of 784 pixels: 30 ms in the median, 100 ms at worst.

    Other programs only add to what is measured, so the quickest of five rounds says most of the page and its server.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{apart}#latent")
    settled(page, PICTURE)
    spent_on_moves(page, 20)
    rounds = [spent_on_moves(page, 100) for _ in range(5)]
    page.close()
    assert min(map(len, rounds)) > 50
    told = [(statistics.median(spent), max(spent)) for spent in rounds]
    with capsys.disabled():
        print(f"\nmouse to picture, ms: {', '.join(f'median {m:.1f} worst {w:.1f}' for m, w in told)}")
    assert min(m for m, _ in told) <= 30 and min(w for _, w in told) <= 100

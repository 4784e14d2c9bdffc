"""The page of a training, in a real browser: what it shows is what was measured, at every size and by day and night."""

import re

import numpy as np
import pytest

import nn

SHAPES = [(390, 844), (768, 1024), (1366, 768), (1920, 1080)]


class Saved:
    """Trainings as `visit` opens pages."""

    def __init__(self, watching, beside=None):
        self.watching, self.beside = watching, beside

    def save(self, path, reveal="all"):
        return self.watching.save(path, beside=self.beside)


def trained(activation, epochs=4, rate=0.05, batch=16, **more):
    nn.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(64, 8))
    hidden = [nn.layers.Dense(12, activation, name=f"hidden_{i + 1}") for i in range(5)]
    model = nn.Sequential([nn.Input(shape=(8,)), *hidden, nn.layers.Dense(1, name="out")], name=activation)
    model.compile(nn.optimizers.SGD(rate), "mse")
    watching = nn.watch(model)
    model.fit(x, x[:, :1] * x[:, 1:2], batch, epochs, verbose=0, callbacks=[watching], **more)
    return watching


@pytest.fixture(scope="module")
def sigmoid():
    return trained("sigmoid", validation_split=0.25)


@pytest.fixture(scope="module")
def relu():
    return trained("relu", epochs=6)


def number(text):
    """A number as the page writes it."""
    text = re.sub(
        r" × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "e" + m[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")), text
    )
    return float(text.replace("−", "-").replace("∞", "inf"))


def column(page, of, run=0):
    """What stands in a column, without what is beside its numbers."""
    texts = page.locator(f"#run{run} td.number[data-of={of}]").evaluate_all("all => all.map(e => e.firstChild.data)")
    return dict(zip(page.locator(f"#run{run} .box > span").all_inner_texts(), texts, strict=True))


def test_the_slider_shows_what_was_measured_at_each_epoch(visit, sigmoid):
    page = visit(Saved(sigmoid))
    slider = page.locator("#position")
    for step in range(4):
        assert page.locator("#count").inner_text() == f"epoch {step + 1} of 4"
        for of, values in (("gradient", sigmoid.gradients), ("update", sigmoid.updates), ("spread", sigmoid.spreads)):
            shown = {name: number(text) for name, text in column(page, of).items()}
            assert shown == {name: pytest.approx(found[step], rel=0.051) for name, found in values.items()}
        assert "vanish on the way back: hidden_1’s are" in page.locator("#said").inner_text()
        losses = [number(text) for text in re.findall(r"loss (\S+?)(?:,|$)", page.locator("#losses").inner_text())]
        assert losses == pytest.approx(sigmoid.losses[step], rel=0.0051)
        slider.focus()
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    assert page.locator("#count").inner_text() == "epoch 1 of 4"
    page.locator("#next").click()
    box = slider.bounding_box()  # by mouse, at its end
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    assert page.locator("#count").inner_text() == "epoch 4 of 4"
    assert slider.get_attribute("aria-valuetext") == "epoch 4 of 4"
    page.locator("h1").click()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#count").inner_text() == "epoch 3 of 4"


def test_it_plays_to_the_end_and_no_reader_is_told_each_step(visit, sigmoid):
    page = visit(Saved(sigmoid))
    page.clock.install()
    page.locator("h1").click()
    page.keyboard.press("Space")
    assert page.locator("#said").get_attribute("aria-live") == "off"
    page.clock.run_for(800)
    assert page.locator("#count").inner_text() == "epoch 2 of 4"
    page.clock.run_for(10_000)
    assert page.locator("#count").inner_text() == "epoch 4 of 4"
    assert page.locator("#play").inner_text() == "Play"
    assert page.locator("#said").get_attribute("aria-live") == "polite"
    assert page.evaluate("all('*').every((e) => getComputedStyle(e).transitionDuration === '0s')")  # nothing else moves


def test_the_colour_of_a_layer_is_the_one_that_the_legend_gives_its_number(visit, sigmoid):
    page = visit(Saved(sigmoid))
    for key, of in enumerate(("gradient", "update", "spread", "dead"), 1):
        page.keyboard.press(str(key))
        assert page.locator("#by input:checked").get_attribute("value") == of
        legend = page.locator("#scale li").evaluate_all("all => all.map(e => [e.innerText, e.className])")
        limits = {look: text.removeprefix("≤ ") for text, look in legend if text.startswith("≤")}
        looks = page.locator(".box").evaluate_all("all => all.map(e => e.className.replace('box ', ''))")
        if of == "dead":
            assert set(looks) == {"s0"}
            assert legend[0] == ["none", "s0"]
            continue
        tops = {look: power(text) for look, text in limits.items()}
        for look, text in zip(looks, column(page, of).values(), strict=True):
            x = number(text)
            below = [top for other, top in tops.items() if other < look]
            assert x <= tops[look] * 1.06
            assert not below or x >= max(below) * 0.94


def test_the_picture_of_all_epochs_has_the_colours_of_each_and_leads_there(visit, sigmoid, relu):
    page = visit(Saved(sigmoid, relu))
    for measure in "14":
        page.keyboard.press(measure)
        painted = """all("#all svg").map((picture, r) => data.runs[r].order.map((_, i) => {
          const of = (e, name) => Number(e.getAttribute(name)), left = (e) => of(e, "x");
          const here = (e) => of(e, "y") === i && left(e) <= at && at < left(e) + of(e, "width");
          const cell = all("rect", picture).filter(here);
          return cell.length ? getComputedStyle(cell[0]).fill : "over"; })).flat()"""
        for step in (0, 5):
            page.evaluate(f"show({step})")
            boxes = page.evaluate("all('.box').map((e) => getComputedStyle(e).backgroundColor)")
            over = 6 if step == 5 else 0  # the sigmoids have ended
            assert page.evaluate(painted) == ["over"] * over + boxes[over:]
    strip = page.locator("#all svg").last.bounding_box()
    page.mouse.click(strip["x"] + strip["width"] * 2.5 / 6, strip["y"] + 5)
    assert page.locator("#count").inner_text() == "epoch 3 of 6"


def power(text):
    """What 10⁻³, 1 or 10 is in a legend."""
    return number(f"1 × {text}") if len(text) > 2 else float(text)


def test_two_runs_have_the_same_scales_and_the_shorter_one_says_that_it_ended(visit, sigmoid, relu):
    page = visit(Saved(sigmoid, relu))
    assert page.locator("h1").inner_text() == "How it learned: sigmoid | relu"
    ticks = page.locator("#runs thead .ticks").evaluate_all("all => all.map(e => e.textContent)")
    assert ticks[:2] == ticks[2:]
    assert page.locator("#position").get_attribute("max") == "5"  # epochs, though those of one have more steps
    page.locator("#last").click()
    assert page.locator("#count").inner_text() == "epoch 6 of 6"
    assert page.locator(".ended").all_inner_texts() == ["has ended: its last look", ""]
    for run, watching, step in ((0, sigmoid, 3), (1, relu, 5)):
        shown = {name: number(text) for name, text in column(page, "gradient", run).items()}
        assert shown == {name: pytest.approx(found[step], rel=0.051) for name, found in watching.gradients.items()}
    said = page.locator("#said p").all_inner_texts()
    assert said[0].startswith("sigmoid")
    assert "vanish" in said[0]
    assert "vanish" not in said[1]
    assert len(page.locator("#curve path.run0, #curve path.run1").all()) == 3  # two losses, one validated


def test_a_histogram_has_the_bars_that_were_counted(visit, relu):
    page = visit(Saved(relu))
    bars = relu.records[0][:, nn.watching.measures.OUTPUT_BARS][:, 3:]
    heights = page.evaluate(
        """all("td.bars[data-of=output] path:last-child").map((e) => {
          const filled = (i, k) => e.isPointInFill(new DOMPoint(i + 0.5, 1.004 - k / 50));
          const tallest = (i) => { let k = 50; while (k && !filled(i, k)) k--; return k / 50; };
          return [...Array(data.bars.output.count).keys()].map(tallest); })"""
    )
    shares = bars / bars.sum(axis=1, keepdims=True)
    tallest = (lambda every: (every / every.sum(axis=2, keepdims=True)).max())(
        np.stack([r[:, nn.watching.measures.OUTPUT_BARS][:, 3:] for r in relu.records])
    )
    count = len(heights[0])
    middle = slice(32 - count // 2, 32 + count // 2)
    np.testing.assert_allclose(heights, shares[:, middle] / tallest, atol=0.03)
    assert shares[:, middle].sum() == pytest.approx(len(bars))


def test_what_is_not_finite_frozen_or_without_weights_is_shown_as_that(visit):
    class Bad(nn.layers.Layer):
        def call(self, x):
            return x * np.float32("nan") if bad[0] else x

    bad = [False]
    layers = [nn.layers.Dense(3, name="<b>cold</b>", trainable=False), nn.layers.Flatten(name="flat")]
    model = nn.Sequential([nn.Input(shape=(3,)), *layers, Bad(name="bad"), nn.layers.Dense(1, name="out")])
    model.compile("sgd", "mse")
    watching = nn.watch(model)
    again = nn.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: bad.__setitem__(0, epoch == 1))
    model.fit(np.ones((4, 3)), np.ones(4), epochs=2, verbose=0, callbacks=[again, watching])
    page = visit(Saved(watching))
    assert list(column(page, "gradient").values())[:3] == ["frozen", "no weights", "no weights"]
    assert list(column(page, "gradient")) == ["<b>cold</b>", "flat", "bad", "out"]
    page.locator("#last").click()
    assert column(page, "gradient")["out"] == column(page, "update")["out"] == "NaN"
    assert "wrong" in page.locator(".box").last.get_attribute("class")
    assert page.locator("#said").inner_text() == "Of the 12 outputs of bad, 12 are NaN."
    assert "12 NaN" in page.locator("tr", has_text="bad").locator("td[data-of=spread]").inner_text()


OUTSIDE = """[...document.querySelectorAll("#player *, #top *, .box, td.number, td.bars svg")].filter((e) => {
  const b = e.getBoundingClientRect();
  return b.width && (b.left < -1 || b.right > innerWidth + 1);
}).length"""


def test_it_is_readable_at_every_size_and_accessible(visit, axe, sigmoid, relu):
    for watching, beside in ((sigmoid, None), (sigmoid, relu)):
        page = visit(Saved(watching, beside), bypass_csp=True)
        page.evaluate(axe)
        for width, height in SHAPES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(OUTSIDE) == 0
            scheme = {(390, True): "dark", (1366, False): "light"}.get((width, beside is not None))
            if scheme:  # each takes a second
                page.emulate_media(color_scheme=scheme)
                found = page.evaluate("axe.run(document)")["violations"]
                assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []
    page.emulate_media(media="print")
    assert not page.locator("#play").is_visible()
    assert page.locator("#run1 .box").first.is_visible()


def test_the_arrows_lead_from_layer_to_layer(visit):
    x = nn.Input(shape=(4,))
    a = nn.layers.Dense(4, name="a")(x)
    b = nn.layers.Dense(4, name="b")(a)
    model = nn.Model(x, nn.layers.Dense(1, name="out")(nn.layers.Add(name="sum")([a, b])))
    model.compile("sgd", "mse")
    watching = nn.watch(model)
    model.fit(np.ones((4, 4)), np.ones(4), verbose=0, callbacks=[watching])
    page = visit(Saved(watching))
    ends = page.evaluate(
        """all(".ways path").map((path) => {
          const m = path.getScreenCTM(), at = (s) => path.getPointAtLength(s).matrixTransform(m);
          const boxes = all("tbody tr").map((r) => r.getBoundingClientRect());
          const row = (p) => boxes.findIndex((b) => b.top <= p.y && p.y <= b.bottom);
          return [row(at(0)), row(at(path.getTotalLength()))]; })"""
    )
    assert sorted(map(tuple, ends)) == [(0, 1), (0, 2), (1, 2), (2, 3)]

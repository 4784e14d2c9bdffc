"""The stage: the graph is whole on the screen, large enough to read, and one looks nearer as on a map."""

import numpy as np
import pytest

import nn
from autograd_core import Tensor, explain
from autograd_core.explain import layout

FRAME = """(() => {
  const frame = document.querySelector(".picture:not([hidden])"), f = frame.getBoundingClientRect();
  const boxes = [...frame.querySelectorAll(".node")].map(e => { // without the width of its line, as browsers agree
    const b = e.getBBox(), m = e.getScreenCTM(), at = (x, y) => new DOMPoint(x, y).matrixTransform(m);
    const [one, other] = [at(b.x, b.y), at(b.x + b.width, b.y + b.height)];
    return { left: one.x, top: one.y, right: other.x, bottom: other.y };
  });
  const letter = frame.querySelector("text").getScreenCTM().a * 11;
  const out = boxes.filter(b => b.left < f.left || b.right > f.right || b.top < f.top || b.bottom > Math.min(f.bottom, innerHeight)).length;
  const over = boxes.flatMap((a, i) => boxes.slice(i + 1).map(b => [a, b])).filter(
    ([a, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).length;
  return { out, over, letter, width: f.width, height: f.height };
})()"""  # noqa: E501


def neuron():
    values = {"w0": 2.0, "w1": -3.0, "w2": -3.0, "x0": -1.0, "x1": -2.0}
    w0, w1, w2, x0, x1 = (Tensor(value, name=name) for name, value in values.items())
    return explain(1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2))), names={})


def chain(length):
    x = Tensor(0.5, name="x")
    for _ in range(length):
        x = np.sin(x) + x
    return explain(x, names={})


def network():
    nn.utils.set_random_seed(0)
    dense = nn.layers.Dense
    model = nn.Sequential([nn.Input(shape=(4,)), dense(5, activation="tanh"), dense(10, activation="softmax")])
    x = np.random.default_rng(0).random((3, 4))
    return explain(nn.losses.SparseCategoricalCrossentropy()(np.arange(3), model(x)))


@pytest.mark.parametrize("size", [(1280, 720), (1366, 768), (1920, 1080), (390, 844)])
def test_the_graph_is_whole_on_the_screen_at_the_start(visit, size):
    for story in (neuron, network, lambda: chain(12)):
        page = visit(story(), viewport=dict(zip(("width", "height"), size, strict=True)))
        frame = page.evaluate(FRAME)
        assert (frame["out"], frame["over"]) == (0, 0)
        if story is neuron and size[0] > 390:
            assert frame["letter"] >= 11
            box = page.locator("#leaves input").first.bounding_box()  # and one sees that numbers can be changed
            assert box["y"] + box["height"] <= size[1]


def test_a_chain_goes_on_in_the_next_row_and_its_arrows_lead_there(visit):
    page = visit(chain(12), viewport={"width": 900, "height": 800})
    lines = """drawn.arrows.map((ends, i) => {
      const edge = document.getElementById(`edge-${i}`);
      const box = (k) => document.getElementById(`node-${ends[k]}`).getBoundingClientRect();
      const path = edge.querySelector("path"), m = path.getScreenCTM(), end = path.getTotalLength();
      const at = (s) => path.getPointAtLength(s).matrixTransform(m), head = edge.querySelector("polygon").getBoundingClientRect();
      const gap = (b, p) => Math.max(b.left - p.x, p.x - b.right, b.top - p.y, p.y - b.bottom, 0);
      return Math.max(gap(box(0), at(0)), gap(box(1), at(end)) - head.width) / m.a;
    })"""  # noqa: E501
    tops = page.evaluate("[...document.querySelectorAll('.picture .node.op')].map(e => e.getBoundingClientRect().top)")
    assert max(tops) - min(tops) > 150  # several rows
    assert max(page.evaluate(lines)) < 12
    page.set_viewport_size({"width": 1900, "height": 800})  # and all of it again where there is more room
    assert page.evaluate(FRAME)["out"] == 0
    assert max(page.evaluate(lines)) < 12


TOLD = """(() => {
  const frame = document.querySelector(".picture:not([hidden])"), told = (part) => [...part.querySelectorAll("text")].map((t) => t.textContent.trim());
  return {
    boxes: [...frame.querySelectorAll(".node")].map((box) => [box.className.baseVal.split(" ").sort(), told(box), box.ariaExpanded]),
    arrows: [...frame.querySelectorAll(".edge")].map((edge) => [edge.className.baseVal, edge.querySelector("path").getAttribute("stroke-dasharray"), told(edge)]),
    frames: [...frame.querySelectorAll(".cluster")].map((cluster) => [cluster.ariaLabel, told(cluster)]),
  };
})()"""  # noqa: E501


def by_name(told):
    """Arrows and frames are listed in the order of the drawing, boxes by layers."""
    return {kind: sorted(parts, key=repr) for kind, parts in told.items()}


def test_where_there_is_no_graphviz_the_page_lays_the_graph_out_itself(visit, axe, monkeypatch):
    def missing(source, format):
        raise ImportError("Graphviz is not installed")

    steps = neuron()
    with_graphviz = visit(steps)
    assert "dagre" not in with_graphviz.content()
    with monkeypatch.context() as patched:
        patched.setattr(layout, "rendered", missing)
        page = visit(steps, viewport={"width": 390, "height": 844}, bypass_csp=True)
        assert network().to_html().count("dagre") > 0  # as in any page whose layers open
    assert by_name(page.evaluate(TOLD)) == by_name(with_graphviz.evaluate(TOLD))
    frame = page.evaluate(FRAME)
    assert (frame["out"], frame["over"]) == (0, 0)
    for one in (with_graphviz, page):
        one.keyboard.press("End")
        one.keyboard.press("ArrowLeft")
    lit = "[...document.querySelectorAll('.picture .lit')].map((part) => part.id).sort()"
    assert page.evaluate(lit) == with_graphviz.evaluate(lit) != []
    page.evaluate(axe)
    assert [v["id"] for v in page.evaluate("axe.run(document)")["violations"]] == []


CUT_OFF = """[...document.querySelectorAll(".picture svg text")].filter((text) => {
  const box = text.getBoundingClientRect(), all = text.ownerSVGElement.getBoundingClientRect();
  return box.left < all.left || box.top < all.top || box.right > all.right || box.bottom > all.bottom;
}).map((text) => text.textContent)"""


def test_no_text_of_a_graph_that_the_page_lays_out_is_cut_off(visit, monkeypatch):
    def missing(source, format):
        raise ImportError("Graphviz is not installed")

    monkeypatch.setattr(layout, "rendered", missing)
    x = Tensor(3.0, name="x")
    for result in (x * x * x, x * (x * x) * x, -x):
        page = visit(explain(result))
        assert page.evaluate("document.querySelectorAll('.picture svg text').length") > 3
        assert page.evaluate(CUT_OFF) == []


def scale(page):
    return page.evaluate(FRAME)["letter"]


def test_one_looks_nearer_by_wheel_keys_buttons_and_drag(visit):
    page = visit(neuron(), viewport={"width": 1280, "height": 800})
    before = scale(page)
    box = page.locator(".node", has_text="v3 =")
    middle = lambda: (lambda b: (b["x"] + b["width"] / 2, b["y"] + b["height"] / 2))(box.bounding_box())  # noqa: E731
    at = middle()
    page.mouse.move(*at)
    page.mouse.wheel(0, -100)  # scrolls the page, or would
    assert scale(page) == before
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    assert scale(page) > 1.8 * before
    np.testing.assert_allclose(middle(), at, atol=2)  # what one points at stays where it is
    page.mouse.down()
    page.mouse.move(at[0] - 60, at[1] - 40, steps=4)
    page.mouse.up()
    np.testing.assert_allclose(middle(), np.subtract(at, (60, 40)), atol=5)
    page.keyboard.press("0")
    assert scale(page) == before
    page.keyboard.press("+")
    assert scale(page) == pytest.approx(1.25 * before)
    page.locator("#out").click()
    assert scale(page) == pytest.approx(before)
    page.keyboard.press("-")  # never smaller than whole
    assert scale(page) == before
    for _ in range(8):
        page.locator("#in").click()
    page.locator(".node", has_text="x1").first.focus()  # focus is never out of sight
    frame, focused = (page.locator(s).bounding_box() for s in (".picture", ".node:focus"))
    assert frame["x"] <= focused["x"] <= frame["x"] + frame["width"]
    assert frame["y"] <= focused["y"] + focused["height"] / 2 <= frame["y"] + frame["height"]


def test_two_fingers_zoom(visit):
    page = visit(neuron(), viewport={"width": 390, "height": 844}, has_touch=True)
    before = scale(page)
    frame = page.locator(".picture").bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    session = page.context.new_cdp_session(page)

    def touch(kind, *apart):
        points = [{"x": x + d, "y": y, "id": i} for i, d in enumerate(apart)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -20)
    touch("touchStart", -20, 20)
    for d in (30, 45, 60):
        touch("touchMove", -d, d)
    touch("touchEnd")
    assert scale(page) > 2 * before
    page.locator("#fit").click()
    assert scale(page) == before


def test_a_value_is_found_by_its_name(visit):
    steps = network()
    page = visit(steps)
    name = next(name for name in reversed(steps.leaves) if name.endswith("kernel"))
    page.keyboard.press("/")
    page.keyboard.type(name.removesuffix("nel"))
    page.keyboard.press("Enter")
    assert page.locator("#card h2").text_content() == name
    assert name.partition("/")[0] in page.evaluate("document.activeElement.textContent")  # its layer's box, closed
    page.keyboard.press("/")
    page.locator("#find").fill("nobody")
    page.keyboard.press("Enter")
    assert page.evaluate("document.getElementById('find').validationMessage") == "Nothing is called nobody"


def test_a_presenter_steps_with_a_clicker_and_fills_the_screen(visit):
    page = visit(neuron())
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageUp")
    assert page.locator("#count").text_content() == "step 1 of 20"
    before = page.evaluate(FRAME)
    page.keyboard.press("f")
    after = page.evaluate(FRAME)
    assert after["height"] > before["height"]
    assert after["letter"] > before["letter"]
    assert after["out"] == 0
    page.keyboard.press("f")
    assert page.evaluate(FRAME) == before


def test_small_letters_come_nearer_while_one_steps_unless_the_whole_is_asked_for(visit):
    page = visit(chain(30), viewport={"width": 390, "height": 700})
    assert scale(page) < 8
    page.keyboard.press("ArrowRight")
    assert scale(page) > 10
    page.keyboard.press("0")
    small = scale(page)
    page.keyboard.press("ArrowRight")
    assert scale(page) == small


@pytest.mark.parametrize("size", [(1366, 768), (1280, 720)])
def test_focus_is_never_beneath_the_graph(visit, size):
    view = dict(zip(("width", "height"), size, strict=True))
    page = visit(neuron(), viewport=view, reduced_motion="reduce")  # scrolling takes no time
    assert "can be changed" in page.locator("#say").text_content()
    page.evaluate("scrollTo(0, 900)")
    for _ in range(60):
        page.keyboard.press("Tab")
        hidden = """(() => {
          const e = document.activeElement.getBoundingClientRect(), s = document.getElementById("stage");
          return !s.contains(document.activeElement) && document.activeElement !== document.body
            && e.height > 0 && e.top < s.getBoundingClientRect().bottom - 1; })()"""
        assert not page.evaluate(hidden)


def test_in_a_frame_keys_work_once_one_points_at_it(chromium):
    page = chromium.new_page()
    page.set_content(f"<body><textarea id=cell></textarea>{neuron()._repr_html_()}</body>")
    frame = page.frame_locator("iframe")
    page.locator("#cell").focus()
    assert frame.locator("#first-click").is_visible()
    page.keyboard.press("ArrowRight")
    assert frame.locator("#count").text_content() == "20 steps"
    page.locator("iframe").hover()
    frame.locator("#first-click").wait_for(state="hidden")
    page.keyboard.press("ArrowRight")
    assert frame.locator("#count").text_content() == "step 1 of 20"
    page.close()


def test_firefox_shows_the_whole_graph_and_zooms(firefox):
    key = lambda name: ("press", name)  # noqa: E731
    frame = ("read", FRAME)
    seen = firefox(neuron(), frame, key("+"), frame, key("0"), frame, key("PageDown"), ("text", "#count"), width=1366)
    whole, near, again, count = seen
    assert (whole["out"], whole["over"], count) == (0, 0, "step 1 of 20")
    assert whole["letter"] >= 11
    assert near["letter"] == pytest.approx(1.25 * whole["letter"])
    assert again == whole
    troughs = "(() => { const p = document.querySelector('.picture'); return [p.offsetWidth - p.clientWidth, p.offsetHeight - p.clientHeight]; })()"  # noqa: E501
    assert firefox(neuron(), ("read", troughs), width=600) == [[0, 0]]  # no bars to scroll by


def test_firefox_opens_a_layer_and_steps_over_a_closed_one(firefox):
    boxes = ("texts", ".picture .node.layer text:first-of-type")
    focus = "document.querySelector(`.picture [data-layer='0']`).focus()"
    found = firefox(
        network(), boxes, ("press", "ArrowRight"), ("text", "#say"), ("read", focus), ("press", "Enter"), boxes
    )
    (first, second), said, _, opened = found
    assert said.startswith(f"Forward through {first[2:]} (Dense): from ")
    assert opened == [second]

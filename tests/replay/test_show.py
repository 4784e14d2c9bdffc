"""A schedule for people: as text, as times and as a page."""

from __future__ import annotations

import importlib
import itertools
import re

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.replay import decide, replay

spread, parallel = (importlib.import_module(f"autograd_core.replay.threads.{name}") for name in ("spread", "parallel"))


def small_net():
    weights = ag.Tensor(np.ones((4, 300)), name="weights")

    def step(x):
        loss = np.mean(np.tanh(x @ weights) ** 2)
        loss.backward(release=True)
        weights.data[...] = weights.data - 0.1 * weights.grad
        weights.grad = None
        return loss

    return weights, replay(step, state=[weights])


def test_the_schedule_can_be_read():
    _, made = small_net()
    assert "four calls" in made.show()
    for _ in range(4):
        made(np.ones((200, 4)))
    lines = made.show().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].startswith("test_show.py:")
    assert lines[1].endswith("loss = np.mean(np.tanh(x @ weights) ** 2)")
    assert "= matmul(x0[200, 4], weights[4, 300])" in lines[2]
    assert any("blocks of" in line for line in lines)
    assert any(line.strip().startswith("weights[4, 300] = subtract(weights[4, 300], ") for line in lines)
    assert lines[-1].startswith("return @")


def test_a_profile_takes_time_and_changes_nothing():
    weights, made = small_net()
    with pytest.raises(RuntimeError, match="four calls"):
        made.profile(np.ones((200, 4)))
    for _ in range(4):
        made(np.ones((200, 4)))
    before = weights.data.copy()
    first, *kinds = made.profile(np.ones((200, 4)), runs=2).splitlines()
    np.testing.assert_array_equal(weights.data, before)
    assert {line.split()[-1] for line in kinds} >= {"products", "chains"}
    assert float(first.split()[0]) == pytest.approx(sum(float(line.split()[0]) for line in kinds), abs=0.01)


def shown(f, *shapes, state=()):
    made = replay(f, state=state)
    for seed in range(4):
        made(*(np.random.default_rng(seed).normal(size=s) for s in shapes))
    return made.show()


@pytest.mark.parametrize(
    ("f", "shape", "said"),
    [
        (lambda x: np.exp(x[1]) + np.exp(x[2]), (3, 4), ["exp(x0@32[4])", "exp(x0@64[4])"]),
        (lambda x: x @ x.T, (6, 4), ["matmul(x0[6, 4], x0.T[4, 6])"]),
        (lambda x: x @ np.swapaxes(x, 1, 2), (2, 3, 4), ["matmul(x0[2, 3, 4], x0.mT[2, 4, 3])"]),
        (lambda x: np.exp(np.transpose(x)), (2, 3, 4), ["exp(x0.T[4, 3, 2])"]),
        (lambda x: np.exp(x[::-1]), (3,), ["exp(x0@16.view[3])"]),
        (lambda x: np.exp(x[:, :2]), (3, 4), ["exp(x0.view[3, 2])"]),
        (lambda x: np.exp(x[:, None].T), (3,), ["exp(x0[1, 3])"]),
        (lambda x: np.sum(x, axis=(0,)), (3, 4), ["sum(x0[3, 4], axis=(0,))"]),
        (lambda x: np.add.reduceat(x, [0, 2]) * np.arange(2) * np.arange(3, 5), (4,), ["add.reduceat(x0[4], (0, 2))"]),
        (lambda x: x * np.arange(3) + np.ones(3) / 3, (3,), ["multiply(x0[3], c0[3])", "c1[3]"]),
        (lambda x: x * np.arange(3.0)[1:2].reshape(()), (3,), ["multiply(x0[3], 1)"]),
        (lambda x: np.maximum(x, np.float32(0.1)).astype(np.float32), (3,), ["maximum(x0[3], 0.1)"]),
    ],
)
def test_what_a_call_works_on_is_said_exactly(f, shape, said):
    text = shown(f, shape)
    for words in said:
        assert words in text


def test_scratch_is_shown_by_where_it_begins_in_the_arena():
    lines = shown(lambda x: np.exp(x) @ np.sin(np.exp(x)[2:].T), (4, 4)).splitlines()
    (exp,) = [line.split("[")[0].strip(" @") for line in lines if "= exp(" in line]
    (sin,) = [line for line in lines if "= sin(" in line]
    assert f"= sin(@{int(exp) + 2 * 32}.T[4, 2])" in sin


def test_state_of_equal_names_is_told_apart():
    weights = [ag.Tensor(np.ones(3), name=name) for name in ("w", "w", "w_1", "w")]

    def f(x):
        for n, w in enumerate(weights):
            w.data[...] = w.data + np.sin(x) * n

    text = shown(f, (3,), state=weights)
    written = [line.split()[0] for line in text.splitlines() if line.strip().startswith("w")]
    assert sorted(written) == ["w[3]", "w_1[3]", "w_2[3]", "w_3[3]"]


def test_a_program_shows_itself():
    _, made = small_net()
    for _ in range(4):
        made(np.ones((200, 4)))
    assert made.programs[0].show() == made.show().replace("weights[", "s0[")


def boxes(page):
    found = re.findall(r'<rect class="worker(\d)" x="([\d.]+)" y="(\d+)" width="([\d.]+)" height="(\d+)"', page)
    return [(int(worker), *map(float, (x, y, w, h))) for worker, x, y, w, h in found]


def test_a_page_draws_the_schedule_beside_the_graph(tmp_path):
    pytest.importorskip("pygraphviz")
    weights, made = small_net()
    with pytest.raises(RuntimeError, match="four calls"):
        made.save(tmp_path / "schedule.html")
    for _ in range(4):
        made(np.ones((200, 4)))
    made.save(tmp_path / "schedule.html", ag.draw(np.mean(np.tanh(np.ones((200, 4)) @ weights) ** 2)))
    page = (tmp_path / "schedule.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "weights[4, 300] = subtract(weights[4, 300]" in page
    assert "http" not in page.replace("http://www.w3.org/", "")
    (program,) = made.programs
    used = {p.buffer for group in program.schedule.groups for p in (*group.reads, *group.writes)}
    assert page.count("<rect") == len(boxes(page)) == len(used & program.schedule.offsets.keys())


def test_what_a_page_draws_lies_in_the_picture_and_nothing_over_anything_else(tmp_path):
    made = replay(lambda x: np.exp(x) + np.sum(np.sqrt(np.exp(x) * x + 1), axis=1, keepdims=True))
    for n in range(4):
        made(np.ones((300, 400)) * n)
    made.save(tmp_path / "schedule.html")
    page = (tmp_path / "schedule.html").read_text(encoding="utf-8")
    assert made.programs[0].schedule.groups[0].local  # of which a block at a time is there
    width, height = map(float, re.search(r'<svg width="(\d+)" height="(\d+)"', page).groups())
    for _, x, y, w, h in boxes(page):
        assert x >= 0
        assert x + w <= width
        assert y + h <= height
    for (_, x, y, w, h), (_, u, v, a, b) in itertools.combinations(boxes(page), 2):
        assert x + w <= u + 0.2 or u + a <= x + 0.2 or y + h <= v or v + b <= y
    assert re.findall(r"<text.*?>(.*?)</text>", page) == ["0", f"{made.programs[0].schedule.size / 1e6:.2f} MB"]


def test_a_page_tells_workers_barriers_and_what_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "workers", lambda: 2)
    monkeypatch.setattr(spread, "SHORT", -1)
    monkeypatch.setattr(spread, "BARRIER", 0)
    monkeypatch.setattr(spread, "LARGE", 0)

    def f(x):
        if decide(np.any(x < -99)):
            return x
        return np.tanh(np.tanh(x) @ x)

    made = replay(f)
    for n in range(4):
        made(np.full((60, 60), n / 60))
    made.save(tmp_path / "schedule.html")
    page = (tmp_path / "schedule.html").read_text(encoding="utf-8")
    text = made.show()
    assert {worker for worker, *_ in boxes(page)} == {0, 1}
    for worker in "01":
        assert page.count(f'<b class="worker{worker}">') == text.count(f"    {worker}: ") > 0
    waits = text.count("all workers wait for each other")
    assert page.count('<tr class="barrier">') == page.count('<line class="barrier"') == waits > 0
    assert page.count('<tr class="guard">') == text.count("go on if @") == 1

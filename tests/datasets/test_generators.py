"""The made-up sets are what their names say, and the same for everybody."""

import numpy as np
import pytest

from datasets import camera, circles, moons, spirals, xor

POINTS = [circles, moons, spirals, xor]
EVERY = [camera, *POINTS]


def name(module):
    return module.__name__.rpartition(".")[2]


def together(split):
    (x_train, y_train), (x_test, y_test) = split
    return np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])


@pytest.mark.parametrize("module", EVERY, ids=name)
def test_every_fifth_example_is_for_the_test(module):
    (x_train, y_train), (x_test, y_test) = module.load_data(n=100)
    example = (2, 2) if module is camera else (2,)
    assert x_train.shape == (80, *example)
    assert x_test.shape == (20, *example)
    assert y_train.shape == (80,)
    assert y_test.shape == (20,)
    assert x_train.dtype == x_test.dtype == np.float64
    assert y_train.dtype == y_test.dtype == np.int64


@pytest.mark.parametrize("module", EVERY, ids=name)
def test_both_parts_have_as_many_of_each_class(module):
    for _, y in module.load_data(n=200):
        assert np.ptp(np.bincount(y)) == 0


@pytest.mark.parametrize("module", EVERY, ids=name)
def test_the_same_seed_makes_the_same_set(module):
    first, again, other, any_ = (together(module.load_data(50, 0.1, seed))[0] for seed in (1, 1, 2, None))
    assert (first == again).all()
    assert (first != other).any()
    assert (first != any_).any()


@pytest.mark.parametrize("module", EVERY, ids=name)
def test_senseless_arguments_are_errors(module):
    with pytest.raises(ValueError, match="n: expected the number of examples to make, at least 1, got 0"):
        module.load_data(n=0)
    for noise in (-0.1, float("nan")):
        with pytest.raises(ValueError, match=r"noise: expected .*, got"):
            module.load_data(noise=noise)


@pytest.mark.parametrize("module", POINTS, ids=name)
def test_noise_is_a_standard_deviation(module):
    exact, blurred = (together(module.load_data(20_000, noise))[0] for noise in (0.0, 0.1))
    assert (blurred - exact).std() == pytest.approx(0.1, rel=0.02)
    assert (blurred - exact).mean() == pytest.approx(0.0, abs=0.002)


def test_circles_lie_on_circles():
    x, y = together(circles.load_data(noise=0.0))
    assert np.linalg.norm(x, axis=1) == pytest.approx(np.where(y == 0, 1.0, 0.5))


def test_moons_lie_on_half_circles():
    x, y = together(moons.load_data(noise=0.0))
    upper, lower = x[y == 0], x[y == 1]
    assert np.linalg.norm(upper, axis=1) == pytest.approx(1.0)
    assert np.linalg.norm(lower - [1.0, 0.5], axis=1) == pytest.approx(1.0)
    assert (upper[:, 1] >= 0).all()
    assert (lower[:, 1] <= 0.5).all()


def test_spirals_wind_around_each_other():
    x, y = together(spirals.load_data(noise=0.0))
    radius, angle = np.linalg.norm(x, axis=1), np.arctan2(x[:, 1], x[:, 0])
    # One and a half turns out to radius 1, the second arm half a turn ahead.
    ahead = np.where(y == 1, np.pi, 0.0)
    assert np.cos(angle - ahead - 3 * np.pi * radius) == pytest.approx(1.0)
    assert radius.max() <= 1.0


def test_xor_is_the_exclusive_or_of_the_signs():
    x, y = together(xor.load_data())
    assert (((x[:, 0] > 0) ^ (x[:, 1] > 0)) == y).all()
    assert np.abs(x).max() <= 1.0
    # The best straight line is no better than none.
    assert np.linalg.lstsq(x, y - 0.5)[1] / len(y) == pytest.approx(0.25, rel=0.02)


def test_the_camera_sees_four_kinds_of_pictures_and_their_negatives():
    x, y = together(camera.load_data(n=400))
    seen = {(label, *picture.ravel()) for picture, label in zip(x, y, strict=True)}
    assert seen == {
        (label, *(sign * pixel for pixel in picture))
        for sign in (-1.0, 1.0)
        for label, picture in enumerate([(1, 1, 1, 1), (1, -1, 1, -1), (1, -1, -1, 1), (1, 1, -1, -1)])
    }


def test_the_camera_sees_noise_as_often_as_asked():
    x, y = together(camera.load_data(n=10_000, noise=0.3))
    noisy = y == camera.get_label_names().index("noise")
    assert noisy.mean() == pytest.approx(0.3, abs=0.02)
    assert (np.abs(x[noisy]) < 1).all()
    assert (np.abs(x[~noisy]) == 1).all()
    assert (together(camera.load_data(n=50, noise=1.0))[1] == 4).all()
    with pytest.raises(ValueError, match="from 0 to 1, got 2"):
        camera.load_data(noise=2)

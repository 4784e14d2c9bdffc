"""Keras, which decides whether our numbers are right."""

from __future__ import annotations

import importlib
import os
import warnings
from typing import Any

import pytest


def load(name: str) -> Any:
    """An optional library, or a skip that says why; with AUTOGRAD_REQUIRE_JUDGES=1 a failure instead."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError as error:
        reason = f"{name} is not installed (pip install autograd-core[judges])"
        if os.environ.get("AUTOGRAD_REQUIRE_JUDGES") == "1":
            raise RuntimeError(reason) from error
        pytest.skip(reason)


@pytest.fixture(scope="session")
def keras() -> Any:
    """Keras 3 on TensorFlow, on the CPU."""
    judge = load("keras")
    tf = load("tensorflow")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return judge


@pytest.fixture(scope="session")
def tf(keras: Any) -> Any:
    """TensorFlow, for the gradients of Keras."""
    return load("tensorflow")

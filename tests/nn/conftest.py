"""Keras, which decides whether our numbers are right."""

import os
import warnings

import pytest


@pytest.fixture(scope="session")
def keras(judge):
    """Keras 3 on TensorFlow, on the CPU."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return judge("keras")


@pytest.fixture(scope="session")
def tf(keras, judge):
    """TensorFlow, for the gradients of Keras."""
    return judge("tensorflow")

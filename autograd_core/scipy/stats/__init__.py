"""Densities and distribution functions as in `scipy.stats`, a module for each distribution.

Arguments broadcast, and each has a derivative: the shape parameters, ``loc`` and ``scale`` too. What is not so (the
order of an incomplete gamma function) refuses a Tensor that records.

    >>> from autograd_core import grad
    >>> from autograd_core.scipy.stats import norm
    >>> print(grad(norm.logpdf, 2)(1.0, 0.0, 2.0))
    -0.375
"""

from . import beta, chi2, dirichlet, expon, gamma, multivariate_normal, norm, poisson, t

__all__ = ["beta", "chi2", "dirichlet", "expon", "gamma", "multivariate_normal", "norm", "poisson", "t"]

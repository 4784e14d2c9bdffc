"""SciPy's functions, recorded: ``special``, ``stats``, ``linalg`` and ``signal``, under SciPy's names.

SciPy's own ufuncs take Tensors too, so ``scipy.special.gammaln(t)`` needs no change; what is no ufunc there is a
function of the same name and arguments here.
"""

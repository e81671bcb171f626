"""Times steps in plain NumPy and prints the seconds of each.

Arguments: dense DIMENSION STEPS, gd|specgd POINTS STEPS, or many-gd|many-power EIGENVALUES STEPS.
"""

import sys
import time

import numpy as np


def dense(d):
    """Dense specgd at d = m, lambda = 10, the teacher e_0."""
    q = np.ones(d)
    q[1] = 11.0
    w = np.random.default_rng(1).standard_normal((d, d)) * (0.05 / np.sqrt(d))
    learning_rate = 0.02 / np.sqrt(d)

    def step():
        nonlocal w
        m = q[:, None] * w
        s = w.T @ m
        g = 2 * (m @ s) + (np.trace(s) - q[0]) * m
        g[0] -= 2 * q[0] * m[0]
        u, _, v = np.linalg.svd(g, full_matrices=False)
        w -= learning_rate * (u @ v)

    return step


def reduced(optimizer, points):
    """Signal, spike and bulk of many points at once, d = 100; no metrics."""
    s = 1 + np.linspace(0.5, 32.5, points)
    a, b, c = (np.full(points, 0.00123) for _ in range(3))
    learning_rate = 0.5 / np.maximum(3, s) if optimizer == "gd" else 0.00207
    direction = np.sign if optimizer == "specgd" else lambda g: g

    def step():
        nonlocal a, b, c
        t = (a * a - 1) + s * b * b + 98 * c * c
        u, v, w = (2 * (a * a - 1) + t) * a, (2 * s * b * b + t) * s * b, (2 * c * c + t) * c
        a, b, c = a - learning_rate * direction(u), b - learning_rate * direction(v), c - learning_rate * direction(w)

    return step


def many(optimizer, d):
    """One point with d distinct eigenvalues, and its loss and signal alignment at every step."""
    q = np.arange(1, d + 1.0) ** -1
    w = np.full(d, 1e-3)

    def step():
        nonlocal w
        a = w * w
        signal = a[0] / a.sum()
        a[0] -= 1
        t = (q * a).sum()
        loss = 0.5 * (q * q * a * a).sum() + 0.25 * t * t
        g = (2 * q * q * a + t * q) * w
        if optimizer == "power":
            s = np.abs(g)
            g = np.sign(g) * (s / s.max()) ** 0.5
        w = w - 0.001 * g
        return loss, signal

    return step


what, size, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family, _, optimizer = what.rpartition("-")
step = dense(size) if what == "dense" else many(optimizer, size) if family == "many" else reduced(what, size)
for _ in range(steps):
    start = time.perf_counter()
    step()
    print(time.perf_counter() - start)

"""A dense specgd step as one writes it with NumPy: prints the seconds of each step. Arguments: dimension, steps."""

import sys
import time

import numpy as np

d, steps = int(sys.argv[1]), int(sys.argv[2])
q = np.ones(d)
q[1] = 11.0  # lambda = 10; the teacher is e_0
w = np.random.default_rng(1).standard_normal((d, d)) * (0.05 / np.sqrt(d))
learning_rate = 0.02 / np.sqrt(d)
for _ in range(steps):
    start = time.perf_counter()
    m = q[:, None] * w
    s = w.T @ m
    g = 2 * (m @ s) + (np.trace(s) - q[0]) * m
    g[0] -= 2 * q[0] * m[0]
    u, _, v = np.linalg.svd(g, full_matrices=False)
    w -= learning_rate * (u @ v)
    print(time.perf_counter() - start)

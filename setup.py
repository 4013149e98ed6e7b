"""The compiled modules: one flag table, one set of Cython directives."""

import os
import sys
from glob import glob

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup

# SPARSE_ADAGRAD_DEBUG=1 builds with bounds checks and without optimisation.
DEBUG = os.environ.get("SPARSE_ADAGRAD_DEBUG", "0") == "1"
# The baseline instruction set, and arithmetic as written. Nobody reads errno.
UNIX_FLAGS = ["-O0", "-g"] if DEBUG else ["-O3", "-fno-math-errno"]
FLAGS = ["/Od" if DEBUG else "/O2"] if sys.platform == "win32" else UNIX_FLAGS

# Where in a cache line the row's loops start is up to their functions alone: if what
# comes before these has a say, an epoch may take an eighth more time (Zen 5).
ALIGNED = [] if DEBUG or sys.platform == "win32" else ["-falign-functions=64"]

KERNELS = "src/sparse_adagrad/kernels"
TEXT = "src/sparse_adagrad/text"
SOURCES = {"cpu": [f"{KERNELS}/native/variants.c"]}

extensions = [
    Extension(
        f"sparse_adagrad.kernels.{name}",
        [f"{KERNELS}/{name}.pyx", *SOURCES.get(name, [])],
        include_dirs=[np.get_include(), KERNELS],
        depends=sorted(glob(f"{KERNELS}/native/**/*.h", recursive=True)),
        extra_compile_args=FLAGS + (ALIGNED if name == "cpu" else []),
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
    )
    for name in (
        "adagrad",
        "columns",
        "cpu",
        "csr",
        "losses",
        "merge",
        "predict",
        "scales",
        "turns",
        "undo",
    )
]
extensions += [
    Extension(
        f"sparse_adagrad.text.{name}",
        [f"{TEXT}/{name}.pyx"],
        include_dirs=[np.get_include(), TEXT],
        depends=sorted(glob(f"{TEXT}/native/*.h")),
        extra_compile_args=FLAGS,
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
    )
    for name in ("documents", "ngrams", "weights")
]
FILES = "src/sparse_adagrad/io"
extensions += [
    Extension(
        f"sparse_adagrad.io.{name}",
        [f"{FILES}/{name}.pyx"],
        include_dirs=[FILES],
        depends=sorted(glob(f"{FILES}/native/*.h")),
        extra_compile_args=FLAGS,
    )
    for name in ("svmlight_lines", "csv_records")
]

setup(
    ext_modules=cythonize(
        extensions,
        include_path=["src"],
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "wraparound": False,
            "initializedcheck": DEBUG,
            "cdivision": True,
            "embedsignature": True,
            "freethreading_compatible": True,
        },
    )
)

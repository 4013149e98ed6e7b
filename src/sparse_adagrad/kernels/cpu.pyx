"""The CPU variant of the kernels, chosen when the module loads."""

import os

NEAR_BYTES[False], NEAR_BYTES[True] = sa_near_bytes(False), sa_near_bytes(True)


def variants():
    """Names of the CPU variants that run here, narrowest first."""
    names = []
    while sa_variant_at(len(names)) != NULL:
        names.append(sa_variant_at(len(names)).name.decode())
    return names


def use_variant(str name):
    """Let all calls from now on use a variant; raise ValueError if it does not run."""
    global VARIANT
    if name not in variants():
        raise ValueError(
            f"CPU variant {name!r} does not run here; these do: {variants()}."
        )
    VARIANT = sa_variant_at(variants().index(name))


def cpu_variant():
    """Name of the CPU variant in use: "portable", "avx2" or "avx512"."""
    return VARIANT.name.decode()


# SPARSE_ADAGRAD_CPU forces a variant; else the widest that CPU and system run.
use_variant(os.environ.get("SPARSE_ADAGRAD_CPU") or variants().pop())

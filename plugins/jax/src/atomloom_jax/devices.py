"""The devices that train together, as a mesh of one axis."""

from __future__ import annotations

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding

from atomloom.errors import ConfigError

AXIS = "data"
"""The name of the axis along which devices share the batches of an update."""


def listed() -> list[str]:
    """The devices of this process, for ``atomloom info``."""
    return [f"{device.device_kind} ({device.platform} {device.id})" for device in jax.local_devices()]


def mesh(platform: str | None, count: int) -> Mesh:
    """The devices of a platform (JAX's choice where none is named): the first `count`, or all.

    With `jax.distributed` the devices of all processes belong to it.

    Raises:
        ConfigError: when there is no such platform, or there are fewer.
    """
    found = sorted(_devices(platform), key=lambda device: device.process_index)
    if count > len(found):
        had = f"there {'is' if len(found) == 1 else 'are'} {len(found)} of {found[0].platform}"
        raise ConfigError(f"train on {count} devices", had, f"Set num_devices to {len(found)} or less")
    return Mesh(np.array(_share_of_each(found, count or len(found))), (AXIS,))


def replicated(values: np.ndarray, sharding: NamedSharding) -> jax.Array:
    """The same on all devices of all processes, in JAX's precision; every process has to have it.

    `jax.device_put` would compare what the processes have, in which NaN and numbers above that precision never agree.
    """
    if jax.process_count() == 1:
        placed: jax.Array = jax.device_put(values, sharding)
        return placed
    shared: jax.Array = jax.make_array_from_process_local_data(
        sharding, values.astype(jax.dtypes.canonicalize_dtype(values.dtype))
    )
    return shared


def _share_of_each(found: list[jax.Device], count: int) -> list[jax.Device]:
    """The first so many devices, as many of each process as of any other."""
    processes = jax.process_count()
    if count % processes:
        had = f"{processes} processes train together, and each gives as many"
        raise ConfigError(f"train on {count} devices", had, f"Set num_devices to a multiple of {processes}")
    mine = ([device for device in found if device.process_index == process] for process in range(processes))
    return [device for devices in mine for device in devices[: count // processes]]


def _devices(platform: str | None) -> list[jax.Device]:
    try:
        return jax.devices(platform)
    except RuntimeError as error:
        known = sorted({device.platform for device in (*jax.devices(), *jax.devices("cpu"))})
        found = f"JAX has only {' and '.join(known)} here"
        raise ConfigError(f"train on {platform!r}", found, f"Set device to {' or '.join(known)}") from error

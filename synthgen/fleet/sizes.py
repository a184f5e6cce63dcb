"""How many workers a crew gets: what the recipe says, or what there is room for."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogs.stage import Crew

WORKER_GB = 2.0
"""What a worker needs: its models, and what its libraries take."""


@dataclass(frozen=True, slots=True)
class Room:
    """What Ray has to give; on one machine (``is_shared``) every crew may use all cores, and the system shares them."""

    cpus: float
    gpus: float
    memory_gb: float
    is_shared: bool


def crew_sizes(heads: Sequence[Crew], critics: Sequence[Crew], *, live: int, room: Room) -> list[int]:
    """The number of workers of every crew, heads first, if up to ``live`` heads work at once with all the critics.

    Crews that ask for GPUs share the GPUs evenly, the others the processors that are left (on one machine, as many
    as its memory holds); each gets one at least.
    """
    on_gpus = [crew for crew in (*heads, *critics) if crew.num_gpus]
    gpu_share = room.gpus / max(1, _at_once(heads, critics, live=live, on_gpus=True))
    taken = sum(_size(crew, gpu_share) * crew.num_cpus for crew in on_gpus)
    others = max(1, _at_once(heads, critics, live=live, on_gpus=False))
    cpu_share = (room.cpus - taken) / others
    if room.is_shared:
        cpu_share = min(room.cpus, room.memory_gb / WORKER_GB / others)
    return [_size(crew, gpu_share if crew.num_gpus else cpu_share) for crew in (*heads, *critics)]


def _size(crew: Crew, share: float) -> int:
    return crew.workers or max(1, int(share / (crew.num_gpus or max(crew.num_cpus, 1.0)) + 1e-6))


def _at_once(heads: Sequence[Crew], critics: Sequence[Crew], *, live: int, on_gpus: bool) -> int:
    asking = [sum(bool(crew.num_gpus) == on_gpus for crew in crews) for crews in (heads, critics)]
    return min(live, asking[0]) + asking[1]

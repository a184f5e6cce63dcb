"""How many workers a crew gets: what the recipe says, or what there is room for."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogs.stage import Crew


@dataclass(frozen=True, slots=True)
class Room:
    """What Ray has to give; on one machine (``is_shared``) every crew may use all cores, and the system shares them."""

    cpus: float
    gpus: float
    is_shared: bool


def crew_sizes(heads: Sequence[Crew], critics: Sequence[Crew], *, live: int, room: Room) -> list[int]:
    """The number of workers of every crew, heads first, if up to ``live`` heads work at once with all the critics.

    Crews that ask for GPUs share the GPUs evenly, the others the processors that are left; each gets one at least.
    """
    gpu_share = room.gpus / max(1, _at_once(heads, critics, live, gpu=True))
    sizes = {id(crew): _on_gpus(crew, gpu_share) for crew in (*heads, *critics) if crew.num_gpus}
    taken = sum(sizes[id(crew)] * crew.num_cpus for crew in critics if crew.num_gpus)
    taken += sum(sorted((sizes[id(crew)] * crew.num_cpus for crew in heads if crew.num_gpus), reverse=True)[:live])
    cpu_share = room.cpus if room.is_shared else (room.cpus - taken) / max(1, _at_once(heads, critics, live, gpu=False))
    sizes |= {id(c): c.workers or max(1, int(cpu_share / max(c.num_cpus, 1))) for c in (*heads, *critics) if not c.num_gpus}
    return [sizes[id(crew)] for crew in (*heads, *critics)]


def _on_gpus(crew: Crew, share: float) -> int:
    return crew.workers or max(1, int(share / crew.num_gpus + 1e-6))


def _at_once(heads: Sequence[Crew], critics: Sequence[Crew], live: int, *, gpu: bool) -> int:
    asking = [sum(bool(crew.num_gpus) == gpu for crew in crews) for crews in (heads, critics)]
    return min(live, asking[0]) + asking[1]

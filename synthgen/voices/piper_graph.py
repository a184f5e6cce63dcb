"""Piper's graph draws its noise inside, from a state no caller can set: here the noise becomes an input.

How many frames each symbol lasts, which it keeps to itself, becomes an output.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from catalogs.errors import EngineError
from synthgen.onnx import with_output

if TYPE_CHECKING:
    import onnx

DURATION_NOISE = "duration_noise"
FRAME_NOISE = "frame_noise"
DURATIONS = "/Ceil_output_0"
_DURATIONS_NODE = "/dp/RandomNormalLike"
_FRAMES_NODE = "/RandomNormalLike"


def lift_noise(path: Path) -> bytes:
    """Read a Piper graph and return it with two more inputs in place of its two random nodes, and a second output.

    ``duration_noise`` is float32 (1, 2, T) for T symbols. ``frame_noise`` is float32 (1, C, N); the number
    of frames is known only inside, so the graph takes frame f from column f % N. The output `DURATIONS` is float32
    (1, 1, T): whole frames for each symbol, which together are all frames.

    Raises:
        EngineError: if the graph is not one of Piper's.
    """
    import onnx

    model = onnx.load(path)
    graph = model.graph
    random = {node.name: node for node in graph.node if node.op_type.startswith("Random")}
    if set(random) != {_DURATIONS_NODE, _FRAMES_NODE}:
        raise EngineError(f"{path} is not a Piper graph: its random nodes are {sorted(random)}")
    _rename_uses(graph, random[_DURATIONS_NODE].output[0], DURATION_NOISE)
    at = list(graph.node).index(random[_FRAMES_NODE])
    columns = _columns(random[_FRAMES_NODE])
    for node in random.values():
        graph.node.remove(node)
    # Nodes stand in the order they run, so these go where the random node was; the other one came before it.
    for offset, node in enumerate(columns):
        graph.node.insert(at - 1 + offset, node)
    shapes: dict[str, list[str | int | None]] = {
        DURATION_NOISE: [1, 2, "phonemes"],
        FRAME_NOISE: [1, "channels", "columns"],
    }
    for name, shape in shapes.items():
        graph.input.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    graph.initializer.extend(
        onnx.helper.make_tensor(f"{FRAME_NOISE}/{value}", onnx.TensorProto.INT64, [], [value]) for value in (0, 1, 2)
    )
    return with_output(model, DURATIONS)


def _rename_uses(graph: "onnx.GraphProto", old: str, new: str) -> None:
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new


def _columns(node: "onnx.NodeProto") -> list["onnx.NodeProto"]:
    """The nodes that give ``node``'s output its width: columns 0, 1, … of the noise, and round again."""
    from onnx.helper import make_node

    def name(part: str) -> str:
        return f"{FRAME_NOISE}/{part}"

    return [
        make_node("Shape", [node.input[0]], [name("like")]),
        make_node("Gather", [name("like"), name("2")], [name("frames")], axis=0),
        make_node("Range", [name("0"), name("frames"), name("1")], [name("all")]),
        make_node("Shape", [FRAME_NOISE], [name("given")]),
        make_node("Gather", [name("given"), name("2")], [name("width")], axis=0),
        make_node("Mod", [name("all"), name("width")], [name("places")]),
        make_node("Gather", [FRAME_NOISE, name("places")], [node.output[0]], axis=2),
    ]

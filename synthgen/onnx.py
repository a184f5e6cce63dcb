"""ONNX graphs on the CPU, run so that the same input has the same output."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx
    import onnxruntime


def open_session(model: Path | bytes, *, threads: int) -> "onnxruntime.InferenceSession":
    """Load a graph, given as a file or as its bytes, for a fixed number of threads.

    Idle threads sleep instead of spinning, since actors share their cores.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def with_output(model: "onnx.ModelProto", name: str) -> bytes:
    """The graph as bytes, with a float32 value that it computes on its way as one more output; the others stay."""
    import onnx

    model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    serialised: bytes = model.SerializeToString()
    return serialised

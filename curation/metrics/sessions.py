"""One way to open an ONNX model of ours: a fixed number of threads, and on the CPU."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(path: Path, *, threads: int) -> "InferenceSession":
    """Load a model; ``threads`` is all it ever uses, so that actors can be packed on a machine."""
    import onnxruntime  # heavy

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # the exporter's leftovers are no news to a user
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

"""The command under torchrun: several processes train, and one of them says what came of it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def test_processes_that_train_together_write_one_document(produce: Callable[..., Path], tmp_path: Path) -> None:
    corpus = produce(tmp_path, "told", prompts=("tea", "coffee", "a cup"), speakers=["anna"])
    recipe, command = tmp_path / "small.toml", tmp_path / "command.py"
    recipe.write_text(
        f'name = "small"\nfolder = "{tmp_path}/small"\ndata = [{{ corpus = "{corpus}", release = "told" }}]\n'
        f'encoder.name = "tiny"\nfeatures.folder = "{tmp_path}/features"\nobjective.method = "ctc"\n'
        "loop = { epochs = 1, steps = 1, threads = 1, micro_batches = 2 }\n"
    )
    command.write_text("from synthgen.cli import main\n\nmain()\n")

    done = subprocess.run(
        [*TORCHRUN, str(command), "train", str(recipe), "--json"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 1

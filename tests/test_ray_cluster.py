import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import ValidationError
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parent.parent
CLUSTER = ROOT / "ray_cluster.yaml"


@pytest.fixture
def cluster() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CLUSTER.read_text(encoding="utf-8"))
    return loaded


def accepted_by_ray(cluster: dict[str, Any]) -> dict[str, Any]:
    """Do what `ray up` does before it calls the cloud: fill in defaults, then validate."""
    prepared: dict[str, Any] = prepare_config(copy.deepcopy(cluster))
    validate_config(prepared)
    return prepared


def test_ray_accepts_the_cluster(cluster: dict[str, Any]) -> None:
    prepared = accepted_by_ray(cluster)

    assert prepared["provider"]["type"] == "aws"
    assert set(prepared["available_node_types"]) == {"head", "gpu", "cpu"}


BREAKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an unknown key": lambda cluster: cluster.update(max_worker=1),
    "no provider type": lambda cluster: cluster["provider"].pop("type"),
    "a limit that is no number": lambda cluster: cluster.update(max_workers="many"),
    "a fraction of a GPU on a node": lambda cluster: cluster["available_node_types"]["gpu"].update(
        resources={"GPU": 0.5}
    ),
    "a head of no type": lambda cluster: cluster.update(head_node_type="heads"),
    "more workers than there may be": lambda cluster: cluster["available_node_types"]["gpu"].update(min_workers=99),
    "a node without resources": lambda cluster: cluster["available_node_types"]["cpu"].pop("resources"),
}


@pytest.mark.parametrize("damage", BREAKS)
def test_ray_refuses_a_broken_copy(cluster: dict[str, Any], damage: str) -> None:
    BREAKS[damage](cluster)

    with pytest.raises((ValidationError, ValueError, KeyError)):
        accepted_by_ray(cluster)


def test_the_head_takes_no_work_and_the_workers_come_and_go(cluster: dict[str, Any]) -> None:
    nodes = accepted_by_ray(cluster)["available_node_types"]

    assert nodes["head"]["resources"] == {"CPU": 0, "GPU": 0}
    assert nodes["head"]["max_workers"] == 0
    assert nodes["gpu"]["min_workers"] == nodes["cpu"]["min_workers"] == 0
    assert nodes["gpu"]["resources"]["GPU"] == 1
    assert "GPU" not in nodes["cpu"]["resources"]
    assert nodes["gpu"]["max_workers"] + nodes["cpu"]["max_workers"] <= cluster["max_workers"]


def test_only_the_head_keeps_its_machine_and_its_disk(cluster: dict[str, Any]) -> None:
    nodes = cluster["available_node_types"]

    assert cluster["provider"]["cache_stopped_nodes"]
    assert "InstanceMarketOptions" not in nodes["head"]["node_config"]
    assert not nodes["head"]["node_config"]["BlockDeviceMappings"][0]["Ebs"]["DeleteOnTermination"]
    for worker in ("gpu", "cpu"):
        assert nodes[worker]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}


def test_everything_that_the_installation_needs_is_mounted(cluster: dict[str, Any]) -> None:
    mounted = {ROOT / local for local in cluster["file_mounts"].values()}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    packages = re.findall(r'"(\w+)"', re.findall(r"^packages = \[(.*)\]$", project, re.M)[0])

    assert all(path.exists() for path in mounted)
    assert mounted >= {ROOT / package for package in packages}
    assert mounted >= {ROOT / name for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")}


def test_the_checkout_is_not_mounted_whole_and_no_secret_is_written_down(cluster: dict[str, Any]) -> None:
    assert "." not in {local.strip("/") for local in cluster["file_mounts"].values()}
    assert not re.search(r"AKIA[A-Z0-9]{16}|aws_secret|password\s*[=:]\s*\S|PRIVATE KEY", CLUSTER.read_text(), re.I)


def test_the_python_of_the_nodes_is_one_that_the_project_supports(cluster: dict[str, Any]) -> None:
    required = re.search(r'requires-python = ">=(\d+)\.(\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    installed = re.search(r"--python (\d+)\.(\d+)\.\d+ ", " ".join(cluster["setup_commands"]))

    assert required is not None
    assert installed is not None
    assert (int(installed[1]), int(installed[2])) == (int(required[1]), int(required[2]))

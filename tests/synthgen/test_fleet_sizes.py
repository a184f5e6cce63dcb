from catalogs.stage import Crew
from synthgen.fleet.sizes import Room, crew_sizes

HERE = Room(cpus=8, gpus=1, memory_gb=64, is_shared=True)
CLUSTER = Room(cpus=32, gpus=4, memory_gb=64, is_shared=False)


def crew(**needs: float | int | None) -> Crew:
    return Crew("crew", object, **needs)  # type: ignore[arg-type]  # one helper for int and float


def test_every_crew_may_use_all_cores_of_one_machine() -> None:
    assert crew_sizes([crew(), crew()], [crew()], live=2, room=HERE) == [8, 8, 8]


def test_a_worker_that_asks_for_several_cores_gets_company_accordingly() -> None:
    assert crew_sizes([crew(num_cpus=4.0)], [crew(num_cpus=0.1)], live=2, room=HERE) == [2, 8]


def test_the_recipe_has_the_last_word() -> None:
    assert crew_sizes([crew(workers=3)], [crew(workers=5, num_gpus=0.5)], live=2, room=CLUSTER) == [3, 5]


def test_processors_of_a_cluster_are_shared_by_all_that_works_at_once() -> None:
    heads = [crew(), crew(), crew()]

    assert crew_sizes(heads, [crew(), crew()], live=2, room=CLUSTER) == [8, 8, 8, 8, 8]


def test_gpus_of_a_cluster_are_filled_and_leave_the_other_crews_the_rest_of_the_processors() -> None:
    sizes = crew_sizes([crew(num_gpus=0.25)], [crew()], live=2, room=CLUSTER)

    assert sizes == [16, 16]


def test_a_cluster_that_is_still_empty_is_asked_for_one_worker_a_crew() -> None:
    assert crew_sizes([crew(num_gpus=1.0)], [crew()], live=2, room=Room(0, 0, 0, is_shared=False)) == [1, 1]


def test_one_machine_has_no_more_workers_than_its_memory_holds() -> None:
    small = Room(cpus=64, gpus=0, memory_gb=24, is_shared=True)

    assert crew_sizes([crew(), crew()], [crew()], live=2, room=small) == [4, 4, 4]

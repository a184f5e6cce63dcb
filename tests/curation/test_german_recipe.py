from catalogs.ingest import read_prompts
from catalogs.records import Line, Prompt
from curation.recipe import load_recipe
from synthgen.casting import Casting, Part
from synthgen.spoken import Spoken


def test_the_german_recipe_casts_every_prompt_with_two_german_voices() -> None:
    recipe = load_recipe("german")
    parts = [Part(card, 1) for config in recipe.voices for card in config.cards()]
    casting = Casting(recipe.casting, parts, Spoken(recipe.spoken))

    prompts = [row for source in recipe.prompts for row in read_prompts(source) if isinstance(row, Prompt)]
    cast = [row for prompt in prompts for row in casting.lines(prompt) if isinstance(row, Line)]

    assert {part.card.language for part in parts} == {"de"}
    assert len(prompts) == len({line.prompt_id for line in cast}) == 60
    assert len(cast) == 120

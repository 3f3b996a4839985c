import pytest
from composed import compose_short_run

from tem_vae.config.build import build_model
from tem_vae.training.optimizer import build_optimizer


def test_path_integration_has_a_rate_of_its_own_and_every_parameter_is_updated() -> None:
    config = compose_short_run("optimizer.path_integration_factor=7", "optimizer.weight_decay=0.1")
    model = build_model(config.model, config.data.walk_shape)
    optimizer, _ = build_optimizer(model, config.optimizer, updates=40)
    by_name = {group["name"]: group for group in optimizer.param_groups}
    assert by_name["path_integration"]["initial_lr"] == pytest.approx(7 * config.optimizer.learning_rate)
    assert by_name["path_integration"]["weight_decay"] == 0
    assert by_name["model"]["weight_decay"] == 0.1
    updated = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert updated == {id(p) for p in model.parameters()}


def test_parameters_stand_in_the_order_of_the_model() -> None:
    """A saved state of AdamW knows them by their places alone."""
    config = compose_short_run("model.belief.hypotheses=3")
    model = build_model(config.model, config.data.walk_shape)
    optimizer, _ = build_optimizer(model, config.optimizer, updates=40)
    places = {parameter: place for place, parameter in enumerate(model.parameters())}
    by_group = {group["name"]: [places[p] for p in group["params"]] for group in optimizer.param_groups}
    # Slips, persistence, and how one percept at a place tells of the next.
    transitions = model.memory.get_parameter("prototypes.transition_logits")
    assert len(by_group["belief"]) == 3
    assert places[transitions] in by_group["belief"]
    assert all(found == sorted(found) for found in by_group.values())

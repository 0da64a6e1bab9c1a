"""Which endpoints a run reads, so that the shared questions to the org are asked once for all of them."""

import dagster as dg


def selected_keys(context: dg.AssetExecutionContext) -> frozenset[dg.AssetKey]:
    """Return the asset keys of the steps that this process will execute.

    The run's plan says it, however the run was started: a selection, all assets, a re-execution from failure. A step
    process of a multiprocess executor plans its own step only and so asks for its own endpoint alone.
    """
    step = context.get_step_execution_context()
    layer, plan = step.job_def.asset_layer, step.execution_plan
    nodes = {plan_step.node_handle for plan_step in plan.steps if plan_step.key in plan.step_keys_to_execute}
    keys = (key for node in nodes for key in layer.get_selected_entity_keys_for_node(node))
    return frozenset(key for key in keys if isinstance(key, dg.AssetKey))

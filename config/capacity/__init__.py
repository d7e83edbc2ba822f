"""How many workers, connections and megabytes: a `Plan`, or a refusal that names the figure to change.

Process: main, before anything starts; `python -m config.capacity` prints it.
"""

from config.capacity.arithmetic import plan
from config.capacity.inputs import CapacityInputs, capacity_inputs
from config.capacity.machine import CpuReading, measure_cpus, measure_memory_mb
from config.capacity.records import Note, Plan, PlanRefused
from config.capacity.table import render_plan

__all__ = [
    "CapacityInputs",
    "CpuReading",
    "Note",
    "Plan",
    "PlanRefused",
    "capacity_inputs",
    "measure_cpus",
    "measure_memory_mb",
    "plan",
    "render_plan",
]

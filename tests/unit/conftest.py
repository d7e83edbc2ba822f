"""Properties are judged by what they find, not by how long a busy machine takes for an example."""

from hypothesis import HealthCheck, settings

settings.register_profile("panal", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("panal")

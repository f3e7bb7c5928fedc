"""What every test may rely on."""

from hypothesis import HealthCheck, settings

# The machine may be slow and shared; an example is judged by its answer, never by its time.
settings.register_profile(
    "tests", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("tests")

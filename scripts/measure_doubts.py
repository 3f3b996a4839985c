"""Measure what a belief is worth where recorded actions are wrong, beside agents that know less and more.

``python scripts/measure_doubts.py checkpoint=RUN name=digits data.slips=0.05 belief.hypotheses=128
belief.slip_rate=0.05`` adds a row to the table ``digits``, and writes its page and figure again.
"""

import sys

from tem_vae.config.launch import launch
from tem_vae.studies.doubts.config import DoubtsConfig


def main(config: DoubtsConfig) -> None:
    """Measure, keep the result, and write the page of all that are kept."""
    # Torch takes seconds to load: what is wrong with the configuration was said before.
    from tem_vae.studies.doubts.measure import measure, write_result
    from tem_vae.studies.doubts.pages import write_pages

    write_result(config, measure(config))
    print(write_pages(config.out, config.name))
    print(f"Written to {config.out}")


if __name__ == "__main__":
    sys.exit(launch(main, "doubts", DoubtsConfig))

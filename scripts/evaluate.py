"""Score trained models: ``python scripts/evaluate.py checkpoint=PATH [data.* overrides]``.

``checkpoint=[A,B]`` compares several on the same walks.
"""

import sys

from tem_vae.config.evaluation import EvaluateConfig
from tem_vae.config.job import output_directory
from tem_vae.config.launch import launch


def main(config: EvaluateConfig) -> None:
    """Evaluate and print the closing tables."""
    # Torch takes seconds to load: what is wrong with the configuration was said before.
    from tem_vae.evaluation.run import evaluate
    from tem_vae.evaluation.tables import print_comparison, print_report

    run_dir = output_directory(config.run_dir)
    results = evaluate(config, run_dir)
    if len(results) > 1:
        print_comparison(results)
    else:
        print_report(*results.values())
    print(f"Written to {run_dir}")
    for page in sorted(run_dir.glob("**/report/index.html")) if config.report else ():
        print(f"Figures: {page}")


if __name__ == "__main__":
    sys.exit(launch(main, "evaluate", EvaluateConfig))

"""Refuse to pull gigabytes of CUDA libraries onto a machine that has no GPU.

Asks pip what installing PyTorch would bring (a dry run, nothing is installed) and stops with a way out when
the answer holds CUDA packages while the machine shows no NVIDIA driver. Arguments: the requirement, then
anything to hand on to pip.
"""

import json
import shutil
import subprocess
import sys


def main() -> int:
    requirement, *pip_flags = sys.argv[1:]
    if shutil.which("nvidia-smi"):
        return 0  # a GPU machine wants the CUDA build
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--quiet",
        "--report",
        "-",
        *pip_flags,
        requirement,
    ]
    plan = subprocess.run(command, capture_output=True, text=True)
    if plan.returncode != 0:
        sys.stderr.write(plan.stderr)
        return plan.returncode
    names = [item["metadata"]["name"] for item in json.loads(plan.stdout)["install"]]
    cuda = [name for name in names if name.startswith(("nvidia-", "cuda-", "triton"))]
    if cuda:
        sys.stderr.write(
            f"\nmedcall: this machine has no NVIDIA driver, but '{requirement}' would bring {len(cuda)} CUDA packages"
            f" ({', '.join(cuda[:3])}, ...), several gigabytes.\n"
            "Give make a pip index that serves CPU builds of PyTorch (its install page names one under 'CPU'):\n"
            "    make demo TORCH_INDEX=<that address>\n"
            "or install torch yourself into .venv and run make again.\n"
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""medcall: a GPT-2 built by hand that learns to call three medical tools. Research software, not clinical advice."""

__version__ = "0.1.0"

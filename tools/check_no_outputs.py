"""Say which of the notebooks named on the command line hold outputs; the sources are committed without any."""

import sys

import nbformat


def main(paths):
    """Exit code 1 if a notebook has outputs or execution counts."""
    full = []
    for path in paths:
        cells = nbformat.read(path, as_version=4).cells
        if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
            full.append(path)
    for path in full:
        print(f"{path} holds outputs: write it anew with 'python -m analysis pair', which leaves them out.")
    return int(bool(full))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
